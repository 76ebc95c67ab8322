import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Kernel } from '@astara/kernel/contract.ts';
import type { Logger } from 'pino';
import { buildHostApi } from './api/host-api.ts';
import { claimSocket, protectSocket } from './api/unix-socket.ts';
import { Appliances } from './appliances.ts';
import { errors } from './errors.ts';
import { trimConsole } from './instances/console.ts';
import type { Host } from './instances/host.ts';
import { type Adopted, Registry } from './instances/registry.ts';
import type { Metrics } from './metrics.ts';
import { bridgePlug } from './plugging/bridge.ts';
import { OvsPlug } from './plugging/ovs.ts';

/** ms */
const HOUSEKEEPING = 60_000;

export interface AgentOptions {
  readonly runDir: string;
  readonly socket: string;
  /** Group that may connect to the sockets, besides root. */
  readonly gid: number;
  readonly ovs: { readonly bridge: string; readonly db: string };
  readonly kernel: Kernel;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface Agent {
  readonly adopted: Promise<Adopted>;
  /** Resolves when instances adopted have their attachments again. */
  readonly repaired: Promise<void>;
  /** Stops serving. Instances and their daemons run on. */
  stop(): Promise<void>;
}

/** Resolves when the socket is there; requests wait until what earlier agents made has been adopted. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { runDir, socket, gid, kernel, metrics, log } = options;
  await claimSocket(socket);
  await mkdir(runDir, { recursive: true });
  await chown(runDir, 0, gid);
  await chmod(runDir, 0o750);
  await mkdir(dirname(socket), { recursive: true });

  const host: Host = {
    runDir,
    kernel,
    netns: await kernel.open(null),
    plugs: { bridge: bridgePlug, ovs: new OvsPlug({ ...options.ovs, owner: runDir }) },
    log,
  };
  const appliances = await Appliances.build({ gid, metrics, log });
  const registry = new Registry(host, appliances);
  const ready = Promise.withResolvers<Adopted>();
  const api = buildHostApi({
    registry,
    metrics,
    log,
    ready: ready.promise,
    view: (instance) => appliances.view(instance),
  });
  try {
    await api.listen({ path: socket });
  } catch (cause) {
    throw errors.make('AGENT_SOCKET_FAILED', { socket, reason: String(cause) }, { cause });
  }
  await protectSocket(socket, gid);

  const begun = performance.now();
  const adopted = await registry.adopt();
  const seconds = (performance.now() - begun) / 1000;
  metrics.adoptSeconds.set(seconds);
  for (const [outcome, count] of Object.entries(adopted)) metrics.adopted.set({ outcome }, count);
  ready.resolve(adopted);
  log.info({ socket, ...adopted, seconds }, 'agent serves');

  const housekeeping = setInterval(() => {
    for (const instance of registry.list()) trimConsole(instance.paths.run);
  }, HOUSEKEEPING);
  housekeeping.unref();

  return {
    adopted: ready.promise,
    repaired: registry.repair(),
    async stop() {
      clearInterval(housekeeping);
      await api.close();
      await registry.idle();
      await appliances.close();
      host.netns.close();
    },
  };
}
