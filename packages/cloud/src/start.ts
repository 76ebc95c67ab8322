import { join } from 'node:path';
import type { Running } from '@astara/config/run-program.ts';
import { openKernel } from '@astara/kernel/open.ts';
import { connectMessaging } from '@astara/messaging/messaging.ts';
import type { Logger } from 'pino';
import { type CloudOptions, type Plane, startCloud } from './cloud.ts';
import type { Account } from './identity/directory.ts';
import type { CloudConfig } from './options.ts';

/** The cloud as the configuration wants it. */
export async function start(config: CloudConfig, log: Logger): Promise<Running> {
  const options = await compileOptions(config, log);
  const { transport_url: url, control_exchange: exchange } = config.DEFAULT;
  const messaging =
    url === null
      ? undefined
      : connectMessaging({ transportUrl: url.reveal(), exchange, connectionName: 'astara-cloud', log });
  const cloud = await startCloud(options, messaging === undefined ? {} : { messaging }).catch(
    async (error: unknown) => {
      await messaging?.close();
      throw error;
    },
  );
  const { url: address, metadataUrl } = cloud;
  log.info({ url: address, auth_url: `${address}/identity/v3`, metadataUrl }, 'the cloud is up');
  return {
    stop: async () => {
      await cloud.stop();
      await messaging?.close();
    },
  };
}

async function compileOptions(config: CloudConfig, log: Logger): Promise<CloudOptions> {
  const { DEFAULT, cloud, identity } = config;
  const secret = cloud.metadata_proxy_shared_secret;
  return {
    bindHost: cloud.bind_host,
    bindPort: cloud.bind_port,
    host: DEFAULT.host,
    accounts: accountsOf(identity),
    tokenLifetime: identity.token_lifetime,
    ...(cloud.database === null ? {} : { file: cloud.database }),
    plane: await planeOf(config, log),
    ...(secret === null
      ? {}
      : { metadata: { host: cloud.metadata_host, port: cloud.metadata_port, sharedSecret: secret.reveal() } }),
    log,
  };
}

function accountsOf({
  admin_password,
  service_password,
  tenants,
  tenant_password,
}: CloudConfig['identity']): Account[] {
  const tenant = tenant_password?.reveal() ?? '';
  return [
    { user: 'admin', password: admin_password.reveal(), project: 'admin', role: 'admin' },
    ...(service_password === null
      ? []
      : [{ user: 'astara', password: service_password.reveal(), project: 'service', role: 'admin' }]),
    ...tenants.map((name) => ({ user: name, password: tenant, project: name, role: 'member' })),
  ];
}

async function planeOf({ DEFAULT, cloud }: CloudConfig, log: Logger): Promise<Plane> {
  if (cloud.plane === 'simulated') return { kind: 'simulated' };
  const kernel = await openKernel('auto', (reason) =>
    log.warn({ err: reason }, 'kernel by the programs of iproute2: slower than netlink'),
  );
  const { internet_addresses: addresses, internet_netns: netns } = cloud;
  return {
    kind: 'devices',
    kernel,
    runDir: join(DEFAULT.run_dir, 'cloud'),
    ...(addresses.length === 0 ? {} : { internet: { netns, addresses } }),
  };
}
