/**
 * Names and addresses are checked here before either implementation uses them: a name becomes a path or a word of an
 * `ip -batch` line, and neither may say more than it should.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parseCidr } from '@astara/model/ip.ts';
import type { NetOperation } from './contract.ts';
import { type Asked, badInput } from './errors.ts';

/** As the kernel's dev_valid_name(): at most 15 bytes, no slash, no space. We also refuse what is not plain ASCII. */
export function checkIfname(asked: Asked, name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name))
    throw badInput(asked, `not an interface name: ${JSON.stringify(name)}`);
}

export function checkNetnsName(name: string): void {
  const asked = { operation: 'netns', object: JSON.stringify(name) };
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}$/.test(name)) throw badInput(asked, 'not a name for a network namespace');
}

function checkMac(asked: Asked, mac: string): void {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw badInput(asked, `not a MAC address: ${JSON.stringify(mac)}`);
}

function checkMtu(asked: Asked, mtu: number): void {
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65535) throw badInput(asked, `not an MTU: ${mtu}`);
}

function checkCidr(asked: Asked, cidr: string): void {
  if (parseCidr(cidr) === undefined)
    throw badInput(asked, `not an address with prefix length: ${JSON.stringify(cidr)}`);
}

export function checkAddress(asked: Asked, address: string): void {
  if (!isIPv4(address) && (!isIPv6(address) || address.includes('%'))) {
    throw badInput(asked, `not an address: ${JSON.stringify(address)}`);
  }
}

/** Files below /proc/sys/net only: the others belong to the machine, not to a network namespace. */
export function checkSysctl(asked: Asked, key: string): void {
  if (!/^net(\/[A-Za-z0-9_.-]+)+$/.test(key) || key.split('/').includes('..')) {
    throw badInput(asked, `not a path below /proc/sys/net: ${JSON.stringify(key)}`);
  }
}

/** What an operation is called in an error. */
export function describe(operation: NetOperation): Asked {
  switch (operation.op) {
    case 'veth-add': {
      const { name, netns } = operation.peer;
      return {
        operation: operation.op,
        object: `${operation.name} (peer ${name}${netns === null ? '' : ` in ${netns}`})`,
      };
    }
    case 'link-set':
    case 'link-delete':
      return { operation: operation.op, object: operation.ifname };
    case 'address-add':
    case 'address-delete':
      return { operation: operation.op, object: `${operation.cidr} on ${operation.ifname}` };
    case 'route-replace':
    case 'route-delete': {
      const via = operation.via === undefined ? '' : ` via ${operation.via}`;
      const dev = operation.ifname === undefined ? '' : ` dev ${operation.ifname}`;
      return { operation: operation.op, object: `${operation.destination}${via}${dev}` };
    }
  }
}

/** Rejects an operation that could never succeed, before any other of its batch is sent. */
export function checkOperation(operation: NetOperation): void {
  const asked = describe(operation);
  switch (operation.op) {
    case 'veth-add':
      checkIfname(asked, operation.name);
      checkIfname(asked, operation.peer.name);
      checkMac(asked, operation.peer.mac);
      checkMtu(asked, operation.mtu);
      if (operation.peer.netns !== null) checkNetnsName(operation.peer.netns);
      return;
    case 'link-set':
      checkIfname(asked, operation.ifname);
      if (operation.mac !== undefined) checkMac(asked, operation.mac);
      if (operation.mtu !== undefined) checkMtu(asked, operation.mtu);
      return;
    case 'link-delete':
      checkIfname(asked, operation.ifname);
      return;
    case 'address-add':
    case 'address-delete':
      checkIfname(asked, operation.ifname);
      checkCidr(asked, operation.cidr);
      return;
    case 'route-replace':
    case 'route-delete':
      checkCidr(asked, operation.destination);
      if (operation.via !== undefined) checkAddress(asked, operation.via);
      if (operation.ifname !== undefined) checkIfname(asked, operation.ifname);
      if (operation.via === undefined && operation.ifname === undefined) {
        throw badInput(asked, 'a route needs a next hop, an interface, or both');
      }
      if (operation.onlink === true && (operation.via === undefined || operation.ifname === undefined)) {
        throw badInput(asked, 'an onlink route needs both a next hop and an interface');
      }
  }
}
