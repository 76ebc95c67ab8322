import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Messaging } from '@astara/messaging/contract.ts';
import type { Logger } from 'pino';
import { startApi } from './api/server.ts';
import { type Appliances, SocketAppliances } from './appliance-client/client.ts';
import type { ApplianceDefaults } from './drivers/built.ts';
import { NetworkDriver } from './drivers/network/driver.ts';
import { RouterDriver } from './drivers/router/driver.ts';
import { NotificationIntake } from './intake/notifications.ts';
import { MetadataServer } from './metadata/server.ts';
import { createMetrics } from './metrics.ts';
import { NeutronAgents } from './neutron/agents.ts';
import { Mirror } from './neutron/mirror/mirror.ts';
import { MAX_WORKERS, type OrchestratorConfig } from './options.ts';
import { NamespaceProvider } from './providers/namespace.ts';
import type { Provider } from './providers/provider.ts';
import { defaultBackoff } from './queue/backoff.ts';
import { Engine, type EngineSettings } from './reconciler/engine.ts';

/** Milliseconds in which a new network usually gets its router, and then needs no instance of its own. */
const ROUTER_COMES = 2_000;
/** Milliseconds that work under way may take when we are told to end. */
const FAREWELL = 5_000;

export interface Orchestrator {
  /** Of the operators' API: `http://host:port`. */
  readonly url: string;
  stop(): Promise<void>;
  /** Takes over what may change while it runs. */
  reload(config: OrchestratorConfig): void;
}

/** What the orchestrator stands on. */
export interface Ground {
  /** Its owner closes it, after the orchestrator has stopped. */
  readonly messaging: Messaging;
  /** Where instances run. Default: in namespaces, by the agent of this host. */
  readonly host?: { readonly provider: Provider; readonly appliances: Appliances };
}

/**
 * Puts the rooms together: Neutron's agents and notifications fill the mirror and name keys, the engine makes each key's instance
 * what its driver asks for. Rejects when it cannot start; then nothing of it is left running.
 */
export async function startOrchestrator(
  config: OrchestratorConfig,
  { messaging, host = namespaces(config) }: Ground,
  log: Logger,
): Promise<Orchestrator> {
  const metrics = createMetrics({ process: true });
  metrics.beforeScrape(() => metrics.messagingConnected.set(messaging.connected ? 1 : 0));

  const mirror = new Mirror();
  const agents: NeutronAgents = new NeutronAgents({
    messaging,
    host: config.DEFAULT.host,
    availabilityZone: config.l3.availability_zone,
    mirror,
    roles: { l3: config.l3.enabled, dhcp: config.dhcp.enabled },
    needsPort: (id) => networks.needsInstance(id),
    enqueue: (key, priority) => engine.enqueue(key, priority),
    options: roleOptions(config),
    observe: (method, seconds, result) => metrics.neutronRpc.observe({ method, result }, seconds),
    logger: log,
  });

  const shared = { mirror, mode: config.dhcp.mode, defaults: applianceDefaults(config), ready: agents.dhcp.ready };
  const routers = new RouterDriver({ ...shared, floatingIps: agents.l3.floatingIps });
  const networks = new NetworkDriver({ ...shared, host: config.DEFAULT.host });
  const { workers, backoff, healthInterval } = engineSettings(config);
  const engine = new Engine({
    drivers: [routers, networks],
    ...host,
    metrics,
    log,
    workers,
    backoff,
    health: { interval: healthInterval },
  });
  const intake = new NotificationIntake({
    mirror,
    l3: agents.l3,
    changed: (keys, priority) => agents.changed(keys, priority),
  });

  const stops: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (const end of stops.toReversed()) await end();
  };
  try {
    const metadata = await startMetadata(config, log);
    stops.push(() => metadata?.close());
    const api = await startApi({
      host: config.api.bind_host,
      port: config.api.bind_port,
      engine,
      metrics,
      checks: {
        broker: () => (messaging.connected ? undefined : 'not connected to the message bus'),
        neutron: () => (agents.alive ? undefined : 'neutron-server does not answer the agents’ reports'),
      },
    });
    stops.push(() => api.close());
    log.info({ url: api.url }, 'API listening');
    await engine.start();
    stops.push(
      () => host.appliances.close(),
      () => engine.stop(FAREWELL),
    );
    if (config.notifications.enabled) {
      const { topics } = config.oslo_messaging_notifications;
      await intake.listen(messaging, config.DEFAULT.control_exchange, topics, config.DEFAULT.host);
    }
    stops.push(() => agents.stop());
    await agents.start();
    const reload = (changed: OrchestratorConfig) => {
      engine.configure(engineSettings(changed));
      agents.configure(roleOptions(changed));
    };
    return { url: api.url, stop, reload };
  } catch (error) {
    await stop();
    throw error;
  }
}

function namespaces({ agent }: OrchestratorConfig): Required<Ground>['host'] {
  return {
    // The workers are the limit: their number may change, and a connection is made when one is needed.
    provider: new NamespaceProvider({ socket: agent.socket, connections: MAX_WORKERS }),
    appliances: new SocketAppliances(),
  };
}

function engineSettings({ queue, health }: OrchestratorConfig): EngineSettings {
  return {
    workers: queue.workers,
    backoff: { ...defaultBackoff, base: queue.backoff_base, max: queue.backoff_max },
    healthInterval: health.interval,
  };
}

function roleOptions({ DEFAULT, l3, dhcp }: OrchestratorConfig) {
  return {
    interfaceDriver: l3.interface_driver,
    reportInterval: l3.report_interval,
    resyncInterval: l3.resync_interval,
    rpcResponseTimeout: DEFAULT.rpc_response_timeout,
    syncPageSize: l3.sync_page_size,
    leaseDuration: dhcp.lease_duration,
    newNetworkGrace: l3.enabled && dhcp.mode === 'router' ? ROUTER_COMES : 0,
  };
}

function applianceDefaults({ l3, dhcp, metadata }: OrchestratorConfig): ApplianceDefaults {
  return {
    plug: l3.interface_driver === 'openvswitch' ? 'ovs' : 'bridge',
    metadataEndpoint: metadata.enabled ? `unix:${metadata.socket}` : undefined,
    dnsForwarders: dhcp.dnsmasq_dns_servers,
    dnsDomain: dhcp.domain,
    leaseDuration: dhcp.lease_duration,
  };
}

async function startMetadata(
  { metadata, keystone }: OrchestratorConfig,
  log: Logger,
): Promise<MetadataServer | undefined> {
  if (!metadata.enabled) return undefined;
  const secret = metadata.metadata_proxy_shared_secret.reveal();
  if (secret === '') log.warn('[metadata] metadata_proxy_shared_secret is empty: Nova refuses requests signed with it');
  await mkdir(dirname(metadata.socket), { recursive: true, mode: 0o755 });
  const ca = keystone.insecure ? false : keystone.cafile === null ? undefined : await readFile(keystone.cafile, 'utf8');
  const server = new MetadataServer({
    socket: metadata.socket,
    novaUrl: `${metadata.nova_metadata_protocol}://${metadata.nova_metadata_host}:${metadata.nova_metadata_port}`,
    sharedSecret: secret,
    logger: log.child({ part: 'metadata' }),
    ...(ca === undefined ? {} : { ca }),
  });
  await server.start();
  return server;
}
