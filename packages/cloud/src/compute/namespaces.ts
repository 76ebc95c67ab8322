import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Kernel, Netns } from '@astara/kernel/contract.ts';
import { tapName } from '@astara/model/instance.ts';
import { cloudErrors } from '../errors.ts';
import type { ExecOptions, ExecResult, Hypervisor, Machine, Nic } from './hypervisor.ts';
import { endPrograms, programsIn, runIn, startProgram } from './processes.ts';

export interface NamespacesOptions {
  readonly kernel: Kernel;
  /** A directory per machine: its console, its web page, and which devices it has. What is in it is ours to remove. */
  readonly runDir: string;
  /** Namespace in which the host's devices are; null (default): our own. */
  readonly netns?: string | null;
}

const APPLETS = ['udhcpc', 'httpd'];
const SCRIPT = join(import.meta.dirname, 'inside/udhcpc-script');

/**
 * Machines that are network namespaces: `vm-<id, first 8>`, with a veth pair for each port whose other end is the tap. Inside run
 * busybox's DHCP client, one for each port, and busybox's HTTP server on port 80, which answers with the machine's name: a third of
 * a megabyte in all. A machine outlives this process, and the next one finds it.
 */
export class NamespaceHypervisor implements Hypervisor {
  readonly #options: NamespacesOptions;
  #host: Netns | undefined;

  constructor(options: NamespacesOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await checkBusybox();
    await mkdir(this.#options.runDir, { recursive: true });
    this.#host = await this.#options.kernel.open(this.#options.netns ?? null);
  }

  async list(): Promise<string[]> {
    if (!existsSync(this.#options.runDir)) return [];
    const entries = await readdir(this.#options.runDir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  async boot(machine: Machine): Promise<void> {
    const { kernel } = this.#options;
    const netns = netnsName(machine.id);
    const gone = (await this.#read(machine.id))?.nics.filter(
      ({ portId }) => !machine.nics.some((nic) => nic.portId === portId),
    );
    await this.#write(machine);
    if (gone !== undefined && gone.length > 0) {
      // A DHCP client without its device never ends by itself.
      await endPrograms(netns);
      await this.#unplug(gone);
    }
    await kernel.createNetns(netns);
    await mkdir(etcDir(netns), { recursive: true });
    await this.#plug(netns, machine);
    await this.#startPrograms(netns, machine);
  }

  async halt(id: string): Promise<void> {
    const { kernel } = this.#options;
    const netns = netnsName(id);
    if ((await kernel.listNetns()).includes(netns)) {
      await endPrograms(netns);
      await appendFile(this.#path(id, 'console.log'), 'halted\n');
    }
    await this.#unplug((await this.#read(id))?.nics ?? []);
    await kernel.deleteNetns(netns);
    await rm(etcDir(netns), { recursive: true, force: true });
  }

  async destroy(id: string): Promise<void> {
    if (!existsSync(this.#path(id))) return;
    await this.halt(id);
    await rm(this.#path(id), { recursive: true, force: true });
  }

  async console(id: string, lines?: number): Promise<string> {
    const log = this.#path(id, 'console.log');
    const all = existsSync(log) ? await readFile(log, 'utf8') : '';
    return lines === undefined
      ? all
      : all
          .split('\n')
          .slice(-lines - 1)
          .join('\n');
  }

  async exec(id: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    const netns = netnsName(id);
    if (!(await this.#options.kernel.listNetns()).includes(netns)) {
      throw cloudErrors.make('CLOUD_NO_MACHINE', { id, reason: `there is no namespace ${netns}` });
    }
    return runIn(netns, argv, options);
  }

  close(): void {
    this.#host?.close();
    this.#host = undefined;
  }

  async #plug(netns: string, { nics }: Machine): Promise<void> {
    const host = this.#ready();
    const links = new Set((await host.links()).map(({ ifname }) => ifname));
    for (const { device: name, portId, mac, mtu } of nics) {
      if (links.has(tapName(portId))) continue;
      await host.change([{ op: 'veth-add', name: tapName(portId), mtu, peer: { name, netns, mac } }]);
    }
    const inside = await this.#options.kernel.open(netns);
    try {
      await inside.change(nics.map(({ device, mtu }) => ({ op: 'link-set', ifname: device, mtu, up: true })));
    } finally {
      inside.close();
    }
  }

  async #unplug(nics: readonly Nic[]): Promise<void> {
    await this.#ready().change(nics.map(({ portId }) => ({ op: 'link-delete', ifname: tapName(portId) })));
  }

  async #startPrograms(netns: string, { id, name, nics }: Machine): Promise<void> {
    const running = programsIn(netns).map(({ command }) => command);
    const log = this.#path(id, 'console.log');
    if (running.length === 0) await appendFile(log, `${name} (${id}) boots in namespace ${netns}\n`);
    const env = { RESOLV_CONF: join(etcDir(netns), 'resolv.conf') };
    for (const { device } of nics) {
      if (running.some((command) => command.includes(`udhcpc -f -i ${device} `))) continue;
      const options = ['-O', 'staticroutes', '-O', 'mtu', '-x', `hostname:${name}`];
      // Four questions a second apart, a pause of a second, for ever.
      const patience = ['-t', '4', '-T', '1', '-A', '1'];
      await startProgram(
        netns,
        ['busybox', 'udhcpc', '-f', '-i', device, ...patience, ...options, '-s', SCRIPT],
        log,
        env,
      );
    }
    if (!running.some((command) => command.includes('httpd'))) {
      await startProgram(netns, ['busybox', 'httpd', '-f', '-p', '80', '-h', this.#path(id, 'www')], log);
    }
  }

  /** Written first, done then: what is begun can be found. */
  async #write(machine: Machine): Promise<void> {
    await mkdir(this.#path(machine.id, 'www'), { recursive: true });
    await writeFile(this.#path(machine.id, 'www/index.html'), `${machine.name}\n`);
    await writeFile(this.#path(machine.id, 'machine.json.new'), JSON.stringify(machine));
    await rename(this.#path(machine.id, 'machine.json.new'), this.#path(machine.id, 'machine.json'));
  }

  async #read(id: string): Promise<Machine | undefined> {
    const file = this.#path(id, 'machine.json');
    return existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Machine) : undefined;
  }

  #path(id: string, file = ''): string {
    return join(this.#options.runDir, id, file);
  }

  #ready(): Netns {
    if (this.#host === undefined) throw new Error('the hypervisor is not started');
    return this.#host;
  }
}

export function netnsName(serverId: string): string {
  return `vm-${serverId.slice(0, 8)}`;
}

/** `ip netns exec` shows what is in it as the programs' /etc. */
function etcDir(netns: string): string {
  return join('/etc/netns', netns);
}

async function checkBusybox(): Promise<void> {
  const fail = (reason: string, cause?: unknown) =>
    cloudErrors.make('CLOUD_BUSYBOX', { applets: APPLETS.join(' and '), reason }, { cause });
  const list = await promisify(execFile)('busybox', ['--list']).catch((cause: Error) =>
    Promise.reject(fail(cause.message, cause)),
  );
  const missing = APPLETS.filter((applet) => !list.stdout.split('\n').includes(applet));
  if (missing.length > 0) throw fail(`this one has no ${missing.join(' and no ')}`);
}
