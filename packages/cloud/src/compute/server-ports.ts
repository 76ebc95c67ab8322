import type { Context } from '../api/resource.ts';
import { portView } from '../network/port-resource.ts';
import { changePort, dropPort, makePort, type PortPatch, type PortRequest } from '../network/ports.ts';
import type { PortRow } from '../store/rows.ts';

/** Nova makes and frees ports through Neutron's API: the same is told to the world. */

export function createServerPort(context: Context, request: PortRequest): PortRow {
  context.notify('port.create.start', { port: request });
  const port = makePort(context, request);
  context.notify('port.create.end', { port: portView(port) });
  return port;
}

export function changeServerPort(context: Context, port: PortRow, patch: PortPatch): PortRow {
  context.notify('port.update.start', { port: patch, id: port.id });
  const changed = changePort(context, port, patch);
  context.notify('port.update.end', { port: portView(changed) });
  return changed;
}

export function deleteServerPort(context: Context, port: PortRow): void {
  context.notify('port.delete.start', { port_id: port.id });
  dropPort(context, port);
  context.notify('port.delete.end', { port: portView(port), port_id: port.id });
}
