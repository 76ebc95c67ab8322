import type { Context } from '../api/resource.ts';
import { changePort, dropPort, makePort, type PortPatch, type PortRequest } from '../network/ports.ts';
import type { PortRow } from '../store/rows.ts';

/** How servers get their ports: as through Neutron's API, on behalf of Nova. */
export interface ServerPorts {
  create(context: Context, request: PortRequest): PortRow;
  change(context: Context, port: PortRow, patch: PortPatch): PortRow;
  remove(context: Context, port: PortRow): void;
}

/** Nobody is told; for clouds without a message bus. */
export const silentPorts: ServerPorts = { create: makePort, change: changePort, remove: dropPort };
