import { startCloud } from '@astara/cloud/cloud.ts';
import { populate } from '@astara/cloud/populate.ts';
import { connectMessaging } from '@astara/messaging/messaging.ts';
import { pino } from 'pino';
import type { CloudReady } from './messages.ts';

/** A cloud with so many routers, on the broker. Arguments: transport URL, password, routers. Ends when its parent does. */
const [transportUrl = '', password = '', count = ''] = process.argv.slice(2);
const log = pino({ level: 'warn' });
const messaging = connectMessaging({ transportUrl, connectionName: 'cloud', log });
const account = (user: string, project: string) => ({ user, password, project, role: 'admin' });
const cloud = await startCloud(
  {
    bindHost: '127.0.0.1',
    bindPort: 0,
    host: 'scale',
    accounts: [account('admin', 'admin'), account('astara', 'service')],
    tokenLifetime: 86_400_000,
    plane: { kind: 'simulated' },
    log,
  },
  { messaging },
);
const { store } = cloud;
const { routerIds } = populate(store, { routers: Number(count), ports: 2, host: 'scale' });
const routers = routerIds.map((id) => {
  const [floatingIp] = store.floatingIps.by('router', id);
  const first = floatingIp?.port_id ?? '';
  const network = store.ports.get(first)?.network_id ?? '';
  const servers = store.ports.by('network', network).filter((port) => port.device_owner === 'compute:nova');
  return { id, floatingIpId: floatingIp?.id ?? '', portIds: servers.map((port) => port.id) };
});
const ready: CloudReady = { type: 'ready', authUrl: `${cloud.url}/identity/v3`, routers };
process.send?.(ready);
process.once('disconnect', () => process.exit(0));
