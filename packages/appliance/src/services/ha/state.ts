import { join } from 'node:path';
import { type AddressNode, type HaNode, instanceName } from './nodes.ts';
import { conntrackdConfName, type HaPaths, renderConntrackd, renderKeepalived } from './render.ts';

/** Below the run directory: what we write for the daemons, and a directory for each in which it writes. */
export const DIRECTORY = 'ha';

export interface HaState {
  readonly node: HaNode;
  /** Whole; and `waiting`, with which it starts. */
  readonly keepalived: string;
  readonly waiting: string;
  readonly conntrackd: string | undefined;
  /** Of instances. */
  readonly names: readonly string[];
  /** Those of all instances, but for the advertised ones. */
  readonly addresses: readonly AddressNode[];
  /** ms after which another member has taken over when this one is silent. RFC 9568 §6.1, Active_Down_Interval at most. */
  readonly downInterval: number;
}

export function haPaths(runDir: string): HaPaths {
  const path = (...parts: string[]) => join(runDir, DIRECTORY, ...parts);
  return {
    fifo: path('keepalived', 'notify'),
    lock: path('conntrackd', 'lock'),
    control: path('conntrackd', 'control'),
  };
}

export function haState(node: HaNode | undefined, runDirInside: string): HaState | undefined {
  if (node === undefined) return undefined;
  const paths = haPaths(runDirInside);
  const text = node.sync === undefined ? undefined : renderConntrackd(node.sync, paths);
  const conntrackd = text === undefined ? undefined : join(runDirInside, DIRECTORY, conntrackdConfName(text));
  return Object.freeze({
    node,
    keepalived: renderKeepalived(node, paths, { addresses: true, conntrackd }),
    waiting: renderKeepalived(node, paths, { addresses: false, conntrackd }),
    conntrackd: text,
    names: node.instances.map(instanceName),
    addresses: node.instances.flatMap(({ addresses }) => addresses),
    downInterval: 4 * node.advertInterval,
  });
}
