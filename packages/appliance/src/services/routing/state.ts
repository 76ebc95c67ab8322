import type { RoutingNode } from './nodes.ts';
import type { RoutingFiles } from './render.ts';

/** What one BIRD is told; undefined when none is needed. */
export type RoutingState =
  | {
      readonly node: RoutingNode;
      /** Of the files, as BIRD sees it. */
      readonly directory: string;
      readonly files: RoutingFiles;
    }
  | undefined;

export type RoutingChange =
  | { readonly kind: 'configure'; readonly to: RoutingState }
  /** Tells hosts what will go, on these interfaces. */
  | { readonly kind: 'farewell'; readonly conf: string; readonly ifnames: readonly string[] };

export function sameRouting(a: RoutingState, b: RoutingState): boolean {
  if (a === b || a === undefined || b === undefined) return a === b;
  return a.files.conf === b.files.conf && a.files.floating === b.files.floating;
}
