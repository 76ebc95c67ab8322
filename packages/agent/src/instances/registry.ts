import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import type { InstanceSpec } from '@astara/model/instance.ts';
import { InstanceId } from '@astara/model/scalars.ts';
import { validator } from '@astara/model/validate.ts';
import type { Host } from './host.ts';
import { Instance } from './instance.ts';
import { removeInstance } from './leftovers.ts';
import { instancePaths, instancesDir } from './paths.ts';
import { readRecord } from './record.ts';

const isInstanceId = validator(InstanceId);

/** Who lives in the instances: the appliance of each is reachable while its instance is whole. */
export interface Tenant {
  moveIn(instance: Instance): Promise<void>;
  /** It lets go of everything that it holds of the instance. Not there: fine. */
  moveOut(id: string): Promise<void>;
  /** It looks at what is really there: devices were made anew under it. */
  repair(id: string): Promise<void>;
}

export interface Adopted {
  readonly running: number;
  readonly dead: number;
  /** Half-made or half-removed, and gone now. */
  readonly removed: number;
}

/** All instances of this host. Work on one is done one after another, work on different ones at the same time. */
export class Registry {
  readonly #host: Host;
  readonly #tenant: Tenant;
  readonly #instances = new Map<string, Instance>();
  readonly #tails = new Map<string, Promise<unknown>>();

  constructor(host: Host, tenant: Tenant) {
    this.#host = host;
    this.#tenant = tenant;
  }

  list(): Instance[] {
    return [...this.#instances.values()];
  }

  get(id: string): Instance | undefined {
    return this.#instances.get(id);
  }

  /** It exists, is whole and has exactly the spec's attachments afterwards. A dead one is made again. */
  ensure(id: string, spec: InstanceSpec): Promise<Instance> {
    return this.#serially(id, async () => {
      let instance = this.#instances.get(id);
      if (instance !== undefined && !instance.isWhole()) {
        this.#host.log.warn({ instance: id }, 'making a dead instance again');
        await this.#remove(id);
        instance = undefined;
      }
      if (instance === undefined) {
        await this.#remove(id);
        instance = await Instance.create(this.#host, id, spec);
        this.#instances.set(id, instance);
        this.#host.log.info({ instance: id, resource: spec.resource.id }, 'instance made');
      }
      await this.#tenant.moveIn(instance);
      await this.#converge(instance, spec);
      return instance;
    });
  }

  /** Nothing of it is left afterwards. Absent already: fine. */
  destroy(id: string): Promise<void> {
    return this.#serially(id, async () => {
      if (await this.#remove(id)) this.#host.log.info({ instance: id }, 'instance removed');
    });
  }

  /** At start: takes over what earlier agents made, and removes what they left half-done. */
  async adopt(): Promise<Adopted> {
    await mkdir(instancesDir(this.#host.runDir), { recursive: true, mode: 0o750 });
    const names = await readdir(instancesDir(this.#host.runDir));
    const ids = names.filter((name) => isInstanceId(name).ok); // anything else is not ours
    const outcomes = await Promise.all(ids.map((id) => this.#serially(id, () => this.#adoptOne(id))));
    const count = (outcome: string) => outcomes.filter((candidate) => candidate === outcome).length;
    return { running: count('running'), dead: count('dead'), removed: count('removed') };
  }

  /** After the adoption: attachments as recorded, for a killed agent may have been in the middle of changing them. */
  async repair(): Promise<void> {
    await Promise.all(
      this.list().map((adopted) =>
        this.#serially(adopted.id, async () => {
          const instance = this.#instances.get(adopted.id);
          if (instance === undefined || !instance.isWhole()) return;
          try {
            await this.#converge(instance, instance.record.spec);
          } catch (error) {
            // The orchestrator asks for the same again, and gets the reason then.
            this.#host.log.error({ instance: instance.id, err: error }, 'adopted instance could not be repaired');
          }
        }),
      ),
    );
    const known = new Set(this.#instances.keys());
    await Promise.all(
      Object.values(this.#host.plugs).map(async (plug) => {
        try {
          await plug.collect(known);
        } catch (error) {
          this.#host.log.warn({ plug: plug.kind, err: error }, 'left-over wires could not be collected');
        }
      }),
    );
  }

  /** Resolves when all work that has begun is done. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #adoptOne(id: string): Promise<'running' | 'dead' | 'removed' | 'failed'> {
    const { log } = this.#host;
    try {
      const record = await readRecord(instancePaths(this.#host.runDir, id).record);
      if (record?.id === id && record.phase === 'ready' && record.init !== null) {
        const instance = Instance.adopt(this.#host, record, record.init);
        this.#instances.set(id, instance);
        if (instance.isWhole()) {
          await this.#tenant.moveIn(instance);
          return 'running';
        }
        log.warn({ instance: id }, 'instance is dead: its init or its network namespace is gone');
        return 'dead';
      }
      await removeInstance(this.#host, id, record);
      log.info({ instance: id, phase: record?.phase ?? 'none' }, 'left-over of an interrupted operation removed');
      return 'removed';
    } catch (error) {
      log.error({ instance: id, err: error }, 'instance could not be adopted');
      return 'failed';
    }
  }

  async #converge(instance: Instance, spec: InstanceSpec): Promise<void> {
    const { remade } = await instance.converge(spec);
    if (!remade) return;
    try {
      await this.#tenant.repair(instance.id);
    } catch (error) {
      // The attachments are as asked for. That the configuration in force cannot be kept shows in the instance's services.
      this.#host.log.warn({ instance: instance.id, err: error }, 'appliance could not be repaired');
    }
  }

  /** True when there was something. */
  async #remove(id: string): Promise<boolean> {
    const instance = this.#instances.get(id);
    await this.#tenant.moveOut(id);
    if (instance !== undefined) {
      await instance.destroy();
      this.#instances.delete(id);
      return true;
    }
    const { dir, record } = instancePaths(this.#host.runDir, id);
    if (!existsSync(dir)) return false;
    await removeInstance(this.#host, id, await readRecord(record));
    return true;
  }

  #serially<T>(id: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(id) ?? Promise.resolve();
    const result = before.then(work);
    const tail = result.then(
      () => undefined,
      () => undefined, // the caller gets the error; the next in line does not
    );
    this.#tails.set(id, tail);
    void tail.then(() => {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    });
    return result;
  }
}
