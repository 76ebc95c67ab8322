import { cloudErrors } from '../errors.ts';
import type { ExecResult, Hypervisor, Machine } from './hypervisor.ts';

/** Machines that are up and nowhere. */
export class SimulatedHypervisor implements Hypervisor {
  readonly #machines = new Map<string, { readonly machine: Machine; up: boolean; console: string[] }>();

  async start(): Promise<void> {}

  async list(): Promise<string[]> {
    return [...this.#machines.keys()];
  }

  async boot(machine: Machine): Promise<void> {
    const known = this.#machines.get(machine.id);
    if (known?.up) return;
    const console = [...(known?.console ?? []), `${machine.name} (${machine.id}) is up; it is simulated`];
    this.#machines.set(machine.id, { machine, up: true, console });
  }

  async halt(id: string): Promise<void> {
    const known = this.#machines.get(id);
    if (known === undefined || !known.up) return;
    known.up = false;
    known.console.push('halted');
  }

  async destroy(id: string): Promise<void> {
    this.#machines.delete(id);
  }

  async console(id: string, lines?: number): Promise<string> {
    const all = this.#machines.get(id)?.console ?? [];
    return (lines === undefined ? all : all.slice(-lines)).map((line) => `${line}\n`).join('');
  }

  async exec(id: string): Promise<ExecResult> {
    throw cloudErrors.make('CLOUD_NO_MACHINE', { id, reason: 'machines are simulated' });
  }

  close(): void {}
}
