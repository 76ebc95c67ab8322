import type { Requests } from '../api/requests.ts';
import type { Context } from '../api/resource.ts';
import { revise } from '../network/touch.ts';
import type { Change } from '../store/journal.ts';
import type { PortRow } from '../store/rows.ts';
import { removeForwarding } from './port-forwardings.ts';

/**
 * When a port goes, whoever takes it away, floating IPs do not lead to it any more; port forwardings go with the address
 * that they lead to.
 */
export function followPorts(requests: Requests): void {
  requests.store.beforeCommit((changes) => {
    const ports = changes.filter(isPort);
    if (ports.length > 0) requests.system((context) => follow(context, ports));
  });
}

function follow(context: Context, changes: readonly Change<PortRow>[]): void {
  const { store } = context;
  for (const { before, after } of changes) {
    if (before === undefined) continue;
    for (const rule of store.portForwardings.by('port', before.id)) {
      const kept = after?.fixed_ips.some((ip) => ip.ip_address === rule.internal_ip_address) ?? false;
      if (!kept) removeForwarding(context, rule);
    }
    if (after !== undefined) continue;
    for (const floatingIp of store.floatingIps.by('port', before.id)) {
      const last_known_router_id = floatingIp.router_id;
      const nowhere = { port_id: null, fixed_ip_address: null, router_id: null };
      revise(store.floatingIps, floatingIp, { ...nowhere, last_known_router_id });
    }
  }
}

const isPort = (change: Change): change is Change<PortRow> => change.table === 'ports';
