/** What the bench and its two children tell each other. Times: milliseconds since the epoch, with fractions. */

export interface CloudReady {
  readonly type: 'ready';
  /** Of Keystone, with `/v3`. */
  readonly authUrl: string;
  /** A floating IP each, and the two ports it may belong to: 10.0.0.10, which has it, and 10.0.0.11. */
  readonly routers: readonly {
    readonly id: string;
    readonly floatingIpId: string;
    readonly portIds: readonly string[];
  }[];
}

export type ToOrchestrator =
  /** Say when this router's configuration translates `fixedIp`. */
  | { readonly type: 'watch'; readonly router: string; readonly fixedIp: string }
  | { readonly type: 'measure' }
  | { readonly type: 'restart' }
  | { readonly type: 'stop' };

export type FromOrchestrator =
  /** All routers are in sync; `began`: when it was started. */
  | { readonly type: 'synced'; readonly began: number; readonly at: number }
  | { readonly type: 'applied'; readonly router: string; readonly at: number }
  | {
      readonly type: 'measured';
      /** Seconds of processor time since the process began. */
      readonly cpu: number;
      /** MiB, after garbage collection. */
      readonly heap: number;
    };

export function now(): number {
  return performance.timeOrigin + performance.now();
}
