import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Netns } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { inform, query } from '../services/dhcp/questions.ts';
import { allocation, config, network, subnet } from './configs.ts';
import { Served } from './served.ts';

/** A network with thousands of hosts, `qr-a` 10.1.0.1/16; for tests and the bench. */
export async function manyHosts(): Promise<Served> {
  const served = await Served.create();
  await served.world.segment('neta', 'qr-a');
  const router = served.world.name('r');
  await served.world.ip([`-n ${router} link set qr-a up`, `-n ${router} addr add 10.1.0.1/16 dev qr-a`]);
  return served;
}

export function hostMac(index: number): string {
  const byte = (shift: number) => ((index >> shift) & 255).toString(16).padStart(2, '0');
  return `fa:16:3e:${byte(16)}:${byte(8)}:${byte(0)}`;
}

export function hostAddress(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}

/** Hosts by their index, from 2; `moved`: address of one that has another than its own. */
export function hostConfig(indexes: readonly number[], moved: ReadonlyMap<number, string> = new Map()) {
  const allocations = indexes.map((index) => {
    const address = moved.get(index) ?? hostAddress(index);
    return allocation(hostMac(index), { [address]: true }, { hostname: `h${index}` });
  });
  const subnets = [subnet('10.1.0.0/16', '10.1.0.1', { dhcp_enabled: true })];
  const more = { subnets, allocations, dns_domain: 'a.test', dns_forwarders: [] };
  return config([network('internal', 'qr-a', ['10.1.0.1/16'], more)]) satisfies ApplianceConfig;
}

/** Asks all the time, from a process of its own that nothing else holds up, and knows the longest wait for an answer. */
export class Watch {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start(served: Served): Promise<Watch> {
    const program = fileURLToPath(new URL('./watch-process.ts', import.meta.url));
    const watch = new Watch(spawn(process.execPath, [program, served.world.name('r')]));
    await watch.#lines.next(); // it has had its first answers
    return watch;
  }

  /** The longest waits, in ms. An answer that is still due is waited for. */
  async stop(): Promise<{ readonly dns: number; readonly dhcp: number }> {
    this.#child.stdin.end();
    const { value } = await this.#lines.next();
    return JSON.parse(value ?? '{}');
  }
}

/** Whether the name of a host is known; waits for the answer. */
export async function knows(netns: Netns, index: number, signal = AbortSignal.timeout(10_000)): Promise<boolean> {
  const { fault, ...question } = query({ name: `h${index}.a.test`, address: hostAddress(index) });
  const to = { from: '10.1.0.1', fromPort: 0, to: '10.1.0.1', port: 53 };
  const answers = (datagram: Buffer) => fault(datagram) !== 'foreign';
  const answer = await netns.askLocally({ ...to, ...question, answers }, signal);
  return answer !== undefined && fault(answer) === undefined;
}

/** Whether DHCP answers. */
export async function answersDhcp(netns: Netns, signal = AbortSignal.timeout(10_000)): Promise<boolean> {
  const { fault, ...question } = inform('10.1.0.0');
  const to = { ifname: 'qr-a', from: '10.1.0.1', fromPort: 0, to: '10.1.0.1', port: 67 };
  const answers = (datagram: Buffer) => fault(datagram) !== 'foreign';
  return (await netns.askLocally({ ...to, ...question, answers }, signal)) !== undefined;
}
