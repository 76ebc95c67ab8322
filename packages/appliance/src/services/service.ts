import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Home } from '../home.ts';
import type { Log } from '../log.ts';
import type { Supervisor } from '../supervisor.ts';

/**
 * One of the things an appliance does: a folder beside this file, and a line in `services.ts`. `S` is its state: compiled from a
 * configuration, or found in the world. `C` is one change of it: plain data.
 */
export interface Service<S, C, R extends Runner<S, C> = Runner<S, C>> {
  readonly name: string;
  /** Fields of the configuration that {@link compile} reads: while none of them changes, it is not called again. */
  readonly reads: readonly (keyof ApplianceConfig)[];
  /** Pure. Throws APPLIANCE_VALUE_REFUSED for what cannot be expressed; what a tenant got wrong is left out and warned of. */
  compile(config: ApplianceConfig, context: CompileContext): S;
  /** What leads from one state to the other. Pure; empty when they are equal. `before` is unknown when nobody has looked. */
  plan(before: Known<S>, after: S): readonly PlannedStep<C>[];
  /** In force before the first configuration; absent: whatever is found is let go. */
  readonly initial?: S;
  open(context: RunnerContext): R;
}

export interface CompileContext {
  /** The appliance's directory as its daemons see it. */
  readonly runDirInside: string;
  readonly warn: (text: string) => void;
}

/** `unknown`: to be compared with what is there when the change is made. */
export type Known<S> = { readonly unknown: true } | { readonly unknown: false; readonly value: S };

export const unknown = Object.freeze({ unknown: true } as const);

export function known<S>(value: S): Known<S> {
  return Object.freeze({ unknown: false, value });
}

/**
 * When a step is made, among those of all services: what can be reached is built, then the firewall switches in one transaction,
 * then what it no longer lets through is taken away, then daemons follow.
 */
export const phases = ['build', 'switch', 'remove', 'serve'] as const;
export type Phase = (typeof phases)[number];

export interface PlannedStep<C> {
  readonly phase: Phase;
  /** For people, such as `2 additions`; never holds a secret. */
  readonly what: string;
  readonly change: C;
  /** Undefined: it cannot be undone, or needs not. */
  readonly undo: C | undefined;
  /** When it fails it has changed nothing, so that it is not undone. */
  readonly atomic?: boolean;
  /** Line by line what it does, for a dry run; no secrets. */
  readonly detail?: () => readonly string[];
}

export interface RunnerContext {
  readonly home: Home;
  readonly supervisor: Supervisor;
  readonly log: Log;
  /** Something of the service has ended by itself: its {@link Runner.revive} is called when nothing else is under way. */
  readonly revive: () => void;
  /** Tells those who listen to the appliance's events. `data` is JSON without secrets. */
  readonly emit: (event: string, data: Readonly<Record<string, unknown>>) => void;
}

/** Acts on one appliance. Its methods are called one at a time, but for {@link health}, {@link check} and {@link release}. */
export interface Runner<S, C> {
  /** Finds what an earlier agent started; `state` is what that agent had in force, undefined when it is to be dropped. */
  adopt(state: S | undefined): Promise<void>;
  /** What is really there. `wanted` and `former` help to tell ours from others'. */
  observe(wanted: S, former: S | undefined): Promise<Known<S>>;
  /** Rejects when it cannot be done; what was done by halves is undone by the step's `undo`. */
  execute(change: C): Promise<void>;
  /** Starts again what ended by itself. */
  revive?(state: S): Promise<void>;
  /** Without side effects, in a few milliseconds. `state` is undefined before the first configuration. */
  health(state: S | undefined): Promise<Health>;
  /** Whether the world does what `state` asks, as a client would see it. Ends when the signal says so. */
  check?(state: S, signal: AbortSignal): Promise<readonly Check[]>;
  /** Lets go: daemons run on. */
  release(): Promise<void>;
}

export interface Health {
  readonly wanted: boolean;
  readonly running: boolean;
  readonly error?: string;
  /** JSON for `GET /v2/status`: sessions, tunnels, states. No secrets. */
  readonly detail?: unknown;
}

export interface Check {
  /** What was looked at, such as `gateway 198.51.100.1 answers ARP`. */
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** The change of a service that is told its whole state. */
export interface Whole<S> {
  readonly from: Known<S>;
  readonly to: S;
}

/** The plan of such a service: at most one step. `same` compares two states that are both known. */
export function planWhole<S>(
  before: Known<S>,
  after: S,
  same: (a: S, b: S) => boolean,
): readonly PlannedStep<Whole<S>>[] {
  if (!before.unknown && same(before.value, after)) return [];
  const what = after === undefined ? 'off' : 'configuration';
  // It may have been done by halves, so that nothing is certain.
  const undo = before.unknown ? undefined : { from: unknown, to: before.value };
  return [{ phase: 'serve', what, change: { from: before, to: after }, undo }];
}
