/** Where servers run: `namespaces.ts` (a network namespace each), `simulated.ts` (nowhere). All calls may be repeated. */
export interface Hypervisor {
  /** Makes ready; rejects when this host cannot run machines. */
  start(): Promise<void>;
  /** Ids of the machines of which anything is left, running or not, also of an earlier run. */
  list(): Promise<string[]>;
  /** Brings a machine up, or what is missing of it. */
  boot(machine: Machine): Promise<void>;
  /** Ends its programs and takes its devices away; the console stays. */
  halt(id: string): Promise<void>;
  /** Nothing of it stays. */
  destroy(id: string): Promise<void>;
  /** What the machine has printed, all or the last lines. */
  console(id: string, lines?: number): Promise<string>;
  /** Runs a program in the machine. Rejects with CLOUD_NO_MACHINE when it is not up. */
  exec(id: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Lets go of it; machines stay as they are. */
  close(): void;
}

export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly nics: readonly Nic[];
}

export interface Nic {
  /** eth0, eth1… */
  readonly device: string;
  readonly portId: string;
  readonly mac: string;
  readonly mtu: number;
}

export interface ExecOptions {
  /** Milliseconds until it is killed; default 30 000. */
  readonly timeout?: number;
  readonly input?: string;
}

export interface ExecResult {
  /** Null when a signal ended it, ours included. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
