/** What the conformance tests share: namespaces that go away again, and a look at the kernel by other programs. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Kernel, Netns } from '../contract.ts';

const exec = promisify(execFile);
let count = 0;

export const uniqueName = (): string => `at-kernel-${process.pid}-${count++}`;

/** Runs a program in the namespace (null: ours) and returns what it printed. Rejects when it fails. */
export async function inNetns(netns: string | null, ...command: string[]): Promise<string> {
  const [file = '', ...args] = netns === null ? command : ['ip', 'netns', 'exec', netns, ...command];
  const { stdout } = await exec(file, args, { maxBuffer: 64 << 20 });
  return stdout;
}

/** What `ip -json …` says in the namespace. */
export async function ipJson<T>(netns: string | null, ...args: string[]): Promise<T[]> {
  const text = await inNetns(netns, 'ip', '-json', ...args);
  return text.trim() === '' ? [] : JSON.parse(text);
}

/** Waits until `condition` gives something other than undefined or false. */
export async function until<T>(what: string, condition: () => Promise<T | undefined | false>, ms = 5000): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await setTimeout(20);
  }
}

/** Namespaces, handles and processes of one test; all gone after `dispose()`. */
export class World {
  readonly kernel: Kernel;
  readonly #names: string[] = [];
  readonly #handles: Netns[] = [];
  readonly #children: ChildProcessWithoutNullStreams[] = [];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** A new name that `dispose()` removes. */
  name(): string {
    const name = uniqueName();
    this.#names.push(name);
    return name;
  }

  /** A new namespace, opened. */
  async netns(): Promise<Netns & { readonly name: string }> {
    const name = this.name();
    await this.kernel.createNetns(name);
    return this.open(name);
  }

  async open(name: string): Promise<Netns & { readonly name: string }> {
    const handle = await this.kernel.open(name);
    this.#handles.push(handle);
    return Object.assign(handle, { name });
  }

  /**
   * Two new namespaces joined by a veth pair `here` (.1, ::1) and `there` (.2, ::2), both up. Without DAD their link-local
   * addresses, which neighbours are asked from, may be used at once.
   */
  async pair({ dad = true } = {}): Promise<{
    here: Netns & { readonly name: string };
    there: Netns & { readonly name: string };
  }> {
    const [here, there] = [await this.netns(), await this.netns()];
    for (const netns of dad ? [] : [here, there]) await netns.sysctl({ 'net/ipv6/conf/default/dad_transmits': '0' });
    await here.change([
      { op: 'veth-add', name: 'here', mtu: 1500, peer: { name: 'there', netns: there.name, mac: MAC.there } },
      { op: 'link-set', ifname: 'here', up: true, mac: MAC.here },
      { op: 'address-add', ifname: 'here', cidr: '192.0.2.1/24' },
      { op: 'address-add', ifname: 'here', cidr: '2001:db8::1/64' },
    ]);
    await there.change([
      { op: 'link-set', ifname: 'there', up: true },
      { op: 'address-add', ifname: 'there', cidr: '192.0.2.2/24' },
      { op: 'address-add', ifname: 'there', cidr: '2001:db8::2/64' },
    ]);
    return { here, there };
  }

  /** Starts a program in the namespace; it is ended by `dispose()`. */
  start(netns: string, ...command: string[]): ChildProcessWithoutNullStreams {
    // A process group of its own, so that what it forks ends with it.
    const child = spawn('ip', ['netns', 'exec', netns, ...command], { detached: true });
    this.#children.push(child);
    return child;
  }

  async dispose(): Promise<void> {
    for (const child of this.#children) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      endGroup(child.pid);
      await ended;
    }
    for (const handle of this.#handles) handle.close();
    for (const name of this.#names) await this.kernel.deleteNetns(name);
  }
}

/** Kills what is left of a process group; it may have ended by itself. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

export const MAC = { here: 'fa:16:3e:00:00:01', there: 'fa:16:3e:00:00:02' } as const;
