/**
 * What wires ports into their networks.
 *
 * Two ways: `bridges.ts` does on one host what Neutron's Linux bridge agent does there, `simulated.ts` only says that it was done.
 * Neither enforces anti-spoofing or security groups: the rules are accepted by the API and not applied.
 */
export interface Wiring {
  /** Resolves after a first look; what a killed run left behind is adopted or removed by then. */
  start(): Promise<void>;
  /** Compares what is with what should be, changes the difference and reports it. Never needed: it is done whenever anything changes. */
  reconcile(): Promise<void>;
  /** Stops looking. What it made stays, for the next one to adopt. */
  leave(): Promise<void>;
  /** Removes what it made, also after `leave`. The ports' states stay as they are. */
  stop(): Promise<void>;
}
