import type { Kernel } from '@astara/kernel/contract.ts';
import type { ServiceMessaging } from '@astara/messaging/contract.ts';
import type { Logger } from 'pino';
import { Agents } from './agents/agents.ts';
import { networkOperations } from './agents/network-operations.ts';
import { routerOperations } from './agents/router-operations.ts';
import { NeutronApi } from './api/neutron-api.ts';
import { Requests } from './api/requests.ts';
import { createServer, serveNeutron } from './api/server.ts';
import { Compute } from './compute/compute.ts';
import { NamespaceHypervisor } from './compute/namespaces.ts';
import { SimulatedHypervisor } from './compute/simulated.ts';
import { cannotListen } from './errors.ts';
import { callerOf } from './identity/caller.ts';
import type { Service } from './identity/catalog.ts';
import { type Account, provideAccounts } from './identity/directory.ts';
import { serveIdentity } from './identity/identity-api.ts';
import { Tokens } from './identity/tokens.ts';
import { Bridges } from './l2/bridges.ts';
import type { InternetOptions } from './l2/internet.ts';
import { SimulatedWiring } from './l2/simulated.ts';
import type { Wiring } from './l2/wiring.ts';
import { floatingIpResource } from './l3/floating-ips.ts';
import { followPorts } from './l3/follow-ports.ts';
import { networkGuards, portGuards, subnetGuards } from './l3/guards.ts';
import { portForwardingResource } from './l3/port-forwardings.ts';
import { routerResource } from './l3/routers.ts';
import { agentResource } from './network/agents.ts';
import { extensionOperations } from './network/extensions.ts';
import { listOperations } from './network/lists.ts';
import { networkResource } from './network/networks.ts';
import { portResource } from './network/port-resource.ts';
import { quotaOperations, withQuota } from './network/quotas.ts';
import { securityGroupRuleResource } from './network/security-group-rules.ts';
import { securityGroupResource } from './network/security-groups.ts';
import { subnetResource } from './network/subnets.ts';
import { Notifier } from './notifier.ts';
import { StoreFile } from './store/file.ts';
import { Store } from './store/store.ts';

/** How the cloud's ports and servers are made: as devices and namespaces of this machine, or not at all. */
export type Plane =
  | { readonly kind: 'simulated' }
  | {
      readonly kind: 'devices';
      readonly kernel: Kernel;
      /** Where servers keep their consoles. */
      readonly runDir: string;
      readonly internet?: InternetOptions;
      /** Namespace in which the host's devices are; null (default): our own. */
      readonly netns?: string | null;
    };

export interface CloudOptions {
  readonly bindHost: string;
  /** 0: any that is free. */
  readonly bindPort: number;
  /** Name of this server, in its queues and notifications; servers run there, too. */
  readonly host: string;
  readonly accounts: readonly Account[];
  /** Milliseconds. */
  readonly tokenLifetime: number;
  /** SQLite file that keeps it all; absent: it is forgotten at the end. */
  readonly file?: string;
  readonly plane: Plane;
  readonly metadata?: { readonly host: string; readonly port: number; readonly sharedSecret: string };
  readonly log: Logger;
}

export interface Cloud {
  /** `http://127.0.0.1:9696`: `/v2.0` is Neutron, `/identity/v3` Keystone, `/compute/v2.1` Nova, `/image/v2` Glance. */
  readonly url: string;
  readonly metadataUrl: string | undefined;
  readonly store: Store;
  readonly requests: Requests;
  readonly compute: Compute;
  /** Ends it. Devices and servers go; with a file they stay, for the next to adopt. */
  stop(): Promise<void>;
}

const services: readonly Service[] = [
  { type: 'identity', name: 'keystone', path: '/identity/v3/' },
  { type: 'network', name: 'neutron', path: '' },
  { type: 'compute', name: 'nova', path: '/compute/v2.1' },
  { type: 'image', name: 'glance', path: '/image' },
];

/**
 * Without messaging there are neither notifications nor agents. The caller connects it, and closes it afterwards. A start that fails
 * undoes what it began; among its reasons are CLOUD_LISTEN, CLOUD_FILE, CLOUD_BUSYBOX and CLOUD_NOT_OURS.
 */
export async function startCloud(
  options: CloudOptions,
  { messaging }: { readonly messaging?: ServiceMessaging } = {},
): Promise<Cloud> {
  const begun = new AsyncDisposableStack();
  try {
    const cloud = await begin(options, messaging, begun);
    return { ...cloud, stop: () => begun.disposeAsync() };
  } catch (error) {
    await begun
      .disposeAsync()
      .catch((failure: unknown) => options.log.error({ err: failure }, 'a failed start was not undone as a whole'));
    throw error;
  }
}

/** `begun` gets the way back of each step before it is taken: one that fails half-way is undone, too. */
async function begin(
  options: CloudOptions,
  messaging: ServiceMessaging | undefined,
  begun: AsyncDisposableStack,
): Promise<Omit<Cloud, 'stop'>> {
  const { log, host, metadata } = options;
  const store = new Store();
  const notifier = messaging === undefined ? undefined : new Notifier(messaging, host, log);
  const requests = new Requests(store, notifier?.publish ?? (() => undefined));
  const tokens = new Tokens(store, options.tokenLifetime);
  const authenticate = callerOf(store, tokens);
  followPorts(requests);
  const agents = messaging === undefined ? undefined : new Agents({ requests, messaging, host, log });
  const file = options.file === undefined ? undefined : new StoreFile(options.file, store);
  begun.defer(() => file?.close());
  begun.defer(() => notifier?.idle());
  store.transaction(() => provideAccounts(store, options.accounts));

  const app = createServer(log);
  serveNeutron(app, neutron(requests), authenticate, log);
  serveIdentity(app, { store, tokens, services, log });
  const { wiring, hypervisor } = makePlane(options, requests);
  const compute = new Compute({
    ...{ requests, authenticate, hypervisor, host, log },
    ...(metadata === undefined ? {} : { metadata }),
  });
  compute.serve(app);

  // First the address: a second cloud that is started by mistake ends here, before it touches the devices of the first.
  begun.defer(() => app.close());
  const { bindHost, bindPort } = options;
  const url = await app.listen({ host: bindHost, port: bindPort }).catch(cannotListen('the API', bindHost, bindPort));
  begun.defer(() => agents?.stop());
  await agents?.start();
  begun.defer(() => (file === undefined ? wiring.stop() : wiring.leave()));
  await wiring.start();
  begun.defer(() => (file === undefined ? compute.stop() : compute.leave()));
  const metadataUrl = await compute.start();
  return { url, metadataUrl, store, requests, compute };
}

function neutron(requests: Requests): NeutronApi {
  return new NeutronApi(requests)
    .add(withQuota(networkResource(networkGuards)))
    .add(withQuota(subnetResource(subnetGuards)))
    .add(withQuota(portResource(portGuards)))
    .add(withQuota(routerResource()))
    .add(withQuota(floatingIpResource()))
    .add(portForwardingResource())
    .add(withQuota(securityGroupResource()))
    .add(withQuota(securityGroupRuleResource()))
    .add(agentResource())
    .addOperations(routerOperations())
    .addOperations(networkOperations())
    .addOperations(quotaOperations())
    .addOperations(listOperations())
    .addOperations(extensionOperations());
}

function makePlane({ plane, host, log }: CloudOptions, requests: Requests) {
  if (plane.kind === 'simulated') {
    const wiring: Wiring = new SimulatedWiring(requests);
    return { wiring, hypervisor: new SimulatedHypervisor() };
  }
  const { kernel, runDir, internet, netns = null } = plane;
  const wiring: Wiring = new Bridges({
    ...{ kernel, requests, host, netns, log },
    ...(internet === undefined ? {} : { internet }),
  });
  return { wiring, hypervisor: new NamespaceHypervisor({ kernel, runDir, netns }) };
}
