import type { Requests } from '../api/requests.ts';
import { provisioned } from '../network/ports.ts';
import { revise } from '../network/touch.ts';
import type { PortRow } from '../store/rows.ts';

/** Brings the ports' states in line with whether they are wired. Ports that have gone meanwhile are passed over. */
export function report(requests: Requests, ports: readonly PortRow[], wired: (port: PortRow) => boolean): void {
  const changed = ports.filter((port) => wired(port) === port.provisioning.includes('L2'));
  if (changed.length === 0) return;
  requests.system((context) => {
    for (const { id } of changed) {
      const port = context.store.ports.get(id);
      if (port === undefined) continue;
      if (!wired(port))
        revise(context.store.ports, port, {
          provisioning: [...new Set([...port.provisioning, 'L2' as const])],
          status: 'DOWN',
        });
      else if (port.provisioning.includes('L2')) provisioned(context, port, 'L2');
    }
  });
}
