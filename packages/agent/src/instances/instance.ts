import { chmod, mkdir } from 'node:fs/promises';
import type { Netns } from '@astara/kernel/contract.ts';
import { canonicalJson } from '@astara/model/digest.ts';
import { type Attachment, type InstanceSpec, netnsName, tapName } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import { NamespaceHome } from '../home.ts';
import { converge } from '../plugging/converge.ts';
import type { PlugPlan } from '../plugging/plan.ts';
import { readTap } from '../plugging/tap.ts';
import type { Host } from './host.ts';
import { isWhole, startInit } from './init.ts';
import { removeInstance } from './leftovers.ts';
import { type InstancePaths, instancePaths } from './paths.ts';
import { netnsOfName } from './proc.ts';
import { type InitRef, type InstanceRecord, writeRecord } from './record.ts';

/**
 * One instance of this host. Its methods must not run at the same time: the registry sees to that.
 */
export class Instance {
  readonly id: string;
  readonly paths: InstancePaths;
  readonly init: InitRef;
  readonly #host: Host;
  #record: InstanceRecord;
  #netns: Promise<Netns> | undefined;
  #inForce: readonly Attachment[];

  private constructor(host: Host, record: InstanceRecord, init: InitRef, inForce: readonly Attachment[]) {
    this.id = record.id;
    this.paths = instancePaths(host.runDir, record.id);
    this.init = init;
    this.#host = host;
    this.#record = record;
    this.#inForce = inForce;
  }

  /** Takes over an instance that an earlier agent made. */
  static adopt(host: Host, record: InstanceRecord, init: InitRef): Instance {
    return new Instance(host, record, init, present(record.spec.attachments));
  }

  /** Makes namespaces, init and files; nothing of the id may exist. When it fails nothing is left. */
  static async create(host: Host, id: string, spec: InstanceSpec): Promise<Instance> {
    if (netnsOfName(netnsName(id)) !== undefined) throw errors.make('AGENT_NETNS_TAKEN', { netns: netnsName(id) });
    const paths = instancePaths(host.runDir, id);
    const making: InstanceRecord = {
      version: 1,
      id,
      phase: 'making',
      created_at: new Date().toISOString(),
      spec,
      init: null,
    };
    try {
      await mkdir(paths.log, { recursive: true, mode: 0o755 });
      // It becomes /run: daemons that drop their privileges must be able to pass, whatever the agent's umask.
      await chmod(paths.run, 0o755);
      await writeRecord(paths.record, making);
      await host.kernel.createNetns(netnsName(id));
      const init = await startInit(id, paths);
      const ready: InstanceRecord = { ...making, phase: 'ready', init };
      await writeRecord(paths.record, ready);
      return new Instance(host, ready, init, []);
    } catch (cause) {
      await removeInstance(host, id, making);
      throw cause;
    }
  }

  get record(): InstanceRecord {
    return this.#record;
  }

  /** False once init is gone: then everything inside is gone, too, and the instance can only be destroyed. */
  isWhole(): boolean {
    return isWhole(this.id, this.init);
  }

  /** What is plugged, as far as is known: what was asked for, less what could not be done or has vanished. */
  get attachments(): readonly Attachment[] {
    return this.#inForce;
  }

  /** Resolves with whether something had to be made anew that was there once: then what was configured on it is lost. */
  async converge(spec: InstanceSpec): Promise<{ readonly remade: boolean }> {
    // Written first: what a killed agent may have plugged, by the old spec or the new one, must be known to the next agent.
    const former = this.#record.spec.attachments;
    const formerKinds = new Set(former.map((attachment) => attachment.plug));
    let steps: PlugPlan;
    await this.#remember(union(this.#record.spec, spec));
    try {
      steps = await converge({
        instanceId: this.id,
        inside: await this.#openNetns(),
        host: this.#host.netns,
        plugs: this.#host.plugs,
        wanted: spec.attachments,
        formerKinds,
      });
    } catch (cause) {
      this.#inForce = present(this.#inForce);
      throw cause;
    }
    await this.#remember(spec);
    this.#inForce = spec.attachments;
    const names = new Set(former.map((attachment) => attachment.ifname));
    return { remade: steps.add.some((attachment) => names.has(attachment.ifname)) };
  }

  async #remember(spec: InstanceSpec): Promise<void> {
    if (canonicalJson(spec) === canonicalJson(this.#record.spec)) return;
    const record = { ...this.#record, spec };
    await writeRecord(this.paths.record, record);
    this.#record = record;
  }

  /** Where its appliance lives. `onDaemon` is told the program of each daemon that is started. */
  async home(onDaemon?: (program: string) => void): Promise<NamespaceHome> {
    const { id, init, paths } = this;
    const netns = await this.#openNetns();
    return new NamespaceHome({ id, init, paths, netns, ...(onDaemon === undefined ? {} : { onDaemon }) });
  }

  /** Nothing is left of it afterwards. The object is of no use then. */
  async destroy(): Promise<void> {
    const record: InstanceRecord = { ...this.#record, phase: 'removing' };
    await writeRecord(this.paths.record, record);
    await this.#closeNetns();
    await removeInstance(this.#host, this.id, this.#record);
  }

  async #closeNetns(): Promise<void> {
    const netns = this.#netns;
    this.#netns = undefined;
    if (netns !== undefined) (await netns).close();
  }

  #openNetns(): Promise<Netns> {
    this.#netns ??= this.#host.kernel.open(netnsName(this.id)).catch((cause: unknown) => {
      this.#netns = undefined; // so that the next one tries again
      throw cause;
    });
    return this.#netns;
  }
}

function present(attachments: readonly Attachment[]): Attachment[] {
  return attachments.filter((attachment) => readTap(tapName(attachment.port_id)) !== undefined);
}

/** The new spec, and the old attachments that it does not have any more. */
function union(old: InstanceSpec, next: InstanceSpec): InstanceSpec {
  const ports = new Set(next.attachments.map((attachment) => attachment.port_id));
  const departing = old.attachments.filter((attachment) => !ports.has(attachment.port_id));
  return { ...next, attachments: [...next.attachments, ...departing] };
}
