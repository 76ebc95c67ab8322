import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { InstanceView } from '@astara/model/instance.ts';
import { type Operation, SimulatedHost } from '../providers/simulated.ts';

/** A simulated host that remembers what was asked, and fails when it is told to. */
export class ScriptedHost extends SimulatedHost {
  /** What was asked, in order. */
  readonly calls: { readonly operation: Operation; readonly id: string }[] = [];
  /** By instance: what its appliance has in force. */
  readonly configs = new Map<string, ApplianceConfig>();
  readonly #faults: { operation: Operation; id: string | undefined; times: number; error: Error }[] = [];
  override onPush = ({ id }: InstanceView, config: ApplianceConfig): void => void this.configs.set(id, config);

  override async destroy(id: string, signal: AbortSignal): Promise<void> {
    await super.destroy(id, signal);
    this.configs.delete(id);
  }

  /** The next `times` calls fail with `error`; of all instances, unless `id` names one. */
  fail(operation: Operation, error: Error, times = 1, id?: string): void {
    this.#faults.push({ operation, id, times, error });
  }

  mend(): void {
    this.#faults.length = 0;
  }

  /** Changes what there is behind everyone's back; undefined: it vanishes. */
  disturb(id: string, change: Partial<InstanceView> | undefined): void {
    const view = this.views.get(id);
    if (change === undefined) this.views.delete(id);
    else if (view !== undefined) this.views.set(id, { ...view, ...change });
  }

  get instances(): readonly InstanceView[] {
    return [...this.views.values()];
  }

  count(operation: Operation): number {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  protected override async begin(operation: Operation, id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.calls.push({ operation, id });
    await super.begin(operation, id, signal);
    const fault = this.#faults.find((one) => one.operation === operation && (one.id ?? id) === id && one.times > 0);
    if (fault === undefined) return;
    fault.times--;
    throw fault.error;
  }
}
