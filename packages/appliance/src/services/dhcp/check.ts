import type { DatagramQuestion, Netns } from '@astara/kernel/contract.ts';
import { AstaraError } from '@astara/model/error.ts';
import type { Check } from '../service.ts';
import type { RangeNode } from './nodes.ts';
import { inform, informationRequest, type Question, query } from './questions.ts';
import type { NetworkState } from './state.ts';

/** All DHCPv6 servers and relay agents of the segment (RFC 8415 §7.1); asked so that nothing leaves the machine. */
const ALL_DHCP_SERVERS = 'ff02::1:2';

/**
 * Asks the dnsmasqs of a network as its hosts do, from inside; nothing is leased. `present`: the appliance's addresses. Those of
 * this network that are not among them are somebody else's just now, of an HA pair; that one is missing is for links to notice.
 */
export async function checkNetwork(
  netns: Netns,
  { ifname, questions }: NetworkState,
  present: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Check[]> {
  const ranges = questions.ranges.filter(({ own }) => present.has(own));
  const dhcp = (some: readonly RangeNode[]) => {
    return some.map((range) => {
      const version = range.cidr.includes(':') ? 6 : 4;
      const name = `DHCPv${version} answers for ${range.cidr} on ${ifname}`;
      return () => ask(netns, name, dhcpQuestion(range, ifname), signal);
    });
  };
  const known = questions.name?.name ?? 'its version';
  const dns = questions.resolvers
    .filter((address) => present.has(address))
    .map((address) => () => {
      const to = { from: address, fromPort: 0, to: address, port: 53 };
      return ask(netns, `DNS on ${address} knows ${known}`, { ...to, ...query(questions.name) }, signal);
    });
  const [six, four] = [true, false].map((v6) => ranges.filter(({ cidr }) => cidr.includes(':') === v6));
  const all = await Promise.all([
    ...[...dhcp(four ?? []), ...dns].map((look) => look()),
    // One after the other: the answers come to one and the same port.
    ...(await inTurn(dhcp(six ?? []))),
  ]);
  return all.filter((check) => check !== undefined);
}

async function inTurn<T>(all: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  for (const each of all) results.push(await each());
  return results;
}

function dhcpQuestion({ cidr, own }: RangeNode, ifname: string): Omit<DatagramQuestion, 'answers'> & Question {
  const network = cidr.slice(0, cidr.indexOf('/'));
  if (cidr.includes(':')) {
    const to = { ifname, from: own, fromPort: 547, to: ALL_DHCP_SERVERS, port: 547 };
    return { ...to, ...informationRequest(network) };
  }
  return { ifname, from: own, fromPort: 0, to: own, port: 67, ...inform(network) };
}

/** Undefined where the kernel is not reached in a way that could ask. */
async function ask(
  netns: Netns,
  name: string,
  { fault, ...question }: Omit<DatagramQuestion, 'answers'> & Question,
  signal: AbortSignal,
): Promise<Check | undefined> {
  const answers = (datagram: Buffer) => fault(datagram) !== 'foreign';
  try {
    const answer = await netns.askLocally({ ...question, answers }, signal);
    const detail = answer === undefined ? 'no answer' : fault(answer);
    return detail === undefined ? { name, ok: true } : { name, ok: false, detail };
  } catch (error) {
    if (error instanceof AstaraError && error.code === 'KERNEL_UNSUPPORTED') return undefined;
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}
