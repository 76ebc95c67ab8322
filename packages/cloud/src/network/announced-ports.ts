import type { Context } from '../api/resource.ts';
import type { PortRow } from '../store/rows.ts';
import { portView } from './port-resource.ts';
import { changePort, dropPort, makePort, type PortPatch, type PortRequest } from './ports.ts';

/** Ports as other services of the cloud make them through the API: with notifications. */
export const announcedPorts = {
  create(context: Context, request: PortRequest): PortRow {
    context.notify('port.create.start', { port: request });
    const port = makePort(context, request);
    context.notify('port.create.end', { port: portView(port) });
    return port;
  },
  change(context: Context, port: PortRow, patch: PortPatch): PortRow {
    context.notify('port.update.start', { port: patch, id: port.id });
    const changed = changePort(context, port, patch);
    context.notify('port.update.end', { port: portView(changed) });
    return changed;
  },
  remove(context: Context, port: PortRow): void {
    context.notify('port.delete.start', { port_id: port.id });
    dropPort(context, port);
    context.notify('port.delete.end', { port: portView(port), port_id: port.id });
  },
};
