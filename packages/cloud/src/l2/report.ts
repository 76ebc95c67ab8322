import type { Context } from '../api/resource.ts';
import { provisioned } from '../network/ports.ts';
import { revise } from '../network/touch.ts';
import type { PortRow } from '../store/rows.ts';
import type { Store } from '../store/store.ts';

/** Runs its work in one transaction, on behalf of the cloud itself. */
export type System = <T>(work: (context: Context) => T) => T;

/** Brings the ports' states in line with whether they are wired. Ports that have gone meanwhile are passed over. */
export function report(
  store: Store,
  system: System,
  ports: readonly PortRow[],
  wired: (port: PortRow) => boolean,
): void {
  const changed = ports.filter((port) => wired(port) === port.provisioning.includes('L2'));
  if (changed.length === 0) return;
  system((context) => {
    for (const { id } of changed) {
      const port = store.ports.get(id);
      if (port === undefined) continue;
      if (!wired(port))
        revise(context, store.ports, port, {
          provisioning: [...new Set([...port.provisioning, 'L2' as const])],
          status: 'DOWN',
        });
      else if (port.provisioning.includes('L2')) provisioned(context, port, 'L2');
    }
  });
}
