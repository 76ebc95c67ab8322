/**
 * Names and addresses are checked here before either implementation uses them: a name becomes a path or a word of an
 * `ip -batch` line, and neither may say more than it should.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parseCidr } from '@astara/model/ip.ts';
import type { NetOperation, RouteTarget } from './contract.ts';
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

export function checkPort(asked: Asked, port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw badInput(asked, `not a port: ${port}`);
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
      const hops = operation.hops?.map((hop) => ` via ${hop.via}`).join(' and') ?? '';
      return { operation: operation.op, object: `${operation.destination}${via}${dev}${hops}` };
    }
    case 'proxy-add':
    case 'proxy-delete':
      return { operation: operation.op, object: `${operation.address} on ${operation.ifname}` };
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
      checkRoute(asked, operation);
      if (operation.op === 'route-delete' || operation.hops !== undefined) return;
      if (operation.via === undefined && operation.ifname === undefined) {
        throw badInput(asked, 'a route needs a next hop, an interface, or both');
      }
      return;
    case 'proxy-add':
    case 'proxy-delete':
      checkIfname(asked, operation.ifname);
      checkAddress(asked, operation.address);
  }
}

function checkRoute(asked: Asked, { destination, hops, metric, via, ifname, onlink }: RouteTarget): void {
  checkCidr(asked, destination);
  if (metric !== undefined && (!Number.isInteger(metric) || metric < 0 || metric > 0xffff_ffff)) {
    throw badInput(asked, `not a metric: ${metric}`);
  }
  checkHop(asked, { via, ifname, onlink });
  if (hops === undefined) return;
  if (hops.length === 0 || via !== undefined || ifname !== undefined) {
    throw badInput(asked, 'either one next hop or a list of them');
  }
  for (const hop of hops) {
    checkHop(asked, hop);
    const { weight = 1 } = hop;
    if (!Number.isInteger(weight) || weight < 1 || weight > 256) throw badInput(asked, `not a weight: ${weight}`);
  }
}

interface Hop {
  readonly via: string | undefined;
  readonly ifname?: string | undefined;
  readonly onlink?: boolean | undefined;
}

function checkHop(asked: Asked, { via, ifname, onlink }: Hop): void {
  if (via !== undefined) checkAddress(asked, via);
  if (ifname !== undefined) checkIfname(asked, ifname);
  if (onlink === true && (via === undefined || ifname === undefined)) {
    throw badInput(asked, 'an onlink route needs both a next hop and an interface');
  }
}
