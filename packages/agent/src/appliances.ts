import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createApi } from '@astara/appliance/api/api.ts';
import { Appliance } from '@astara/appliance/appliance.ts';
import { Supervisor } from '@astara/appliance/supervisor.ts';
import type { InstanceView } from '@astara/model/instance.ts';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { protectSocket, removeSocket } from './api/unix-socket.ts';
import { errors } from './errors.ts';
import type { Instance } from './instances/instance.ts';
import type { Tenant } from './instances/registry.ts';
import type { Metrics } from './metrics.ts';

export interface AppliancesOptions {
  /** Group that may connect to the sockets, besides root. */
  readonly gid: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Room {
  readonly instance: Instance;
  readonly appliance: Appliance;
  readonly server: Server;
}

/** As fastify's own default: longer than clients keep idle connections, so that they end them and no request is lost. ms */
const KEEP_ALIVE = 72_000;

/** Requests that put a configuration in force. */
const commits = new Set([
  'PUT /v1/system/config',
  'PUT /v2/config',
  'POST /v2/config/commit',
  'POST /v2/config/rollback',
]);

/** The appliance cores of all instances: one REST app and one supervisor for all of them, a unix socket for each. */
export class Appliances implements Tenant {
  readonly #options: AppliancesOptions;
  readonly #supervisor = new Supervisor();
  readonly #rooms = new Map<string, Room>();
  /** Whose socket a request came in on. */
  readonly #owners = new WeakMap<IncomingMessage, Appliance>();
  readonly #app: FastifyInstance;

  private constructor(options: AppliancesOptions) {
    this.#options = options;
    this.#app = createApi({ resolve: (request) => this.#owners.get(request), log: options.log });
    this.#app.addHook('onResponse', async (request, reply) => {
      if (!commits.has(`${request.method} ${request.routeOptions.url}`) || /[?&](dry_run|stage)=true/.test(request.url))
        return;
      const outcome = reply.statusCode < 400 ? 'ok' : 'failed';
      options.metrics.applySeconds.observe({ outcome }, reply.elapsedTime / 1000);
    });
  }

  static async build(options: AppliancesOptions): Promise<Appliances> {
    const appliances = new Appliances(options);
    await appliances.#app.ready();
    return appliances;
  }

  async moveIn(instance: Instance): Promise<void> {
    const present = this.#rooms.get(instance.id);
    if (present?.instance === instance) return;
    if (present !== undefined) await this.moveOut(instance.id);
    const { metrics, gid } = this.#options;
    const home = await instance.home((program) => metrics.daemonStarts.inc({ program }));
    const log = this.#options.log.child({ instance: instance.id, resource: instance.record.spec.resource });
    const appliance = await Appliance.adopt(home, {
      stateFile: instance.paths.applied,
      supervisor: this.#supervisor,
      log,
    });
    try {
      const server = await this.#listen(instance.paths.apiSocket, appliance);
      await protectSocket(instance.paths.apiSocket, gid);
      this.#rooms.set(instance.id, { instance, appliance, server });
    } catch (cause) {
      await appliance.close();
      throw cause;
    }
  }

  async moveOut(id: string): Promise<void> {
    const room = this.#rooms.get(id);
    if (room === undefined) return;
    this.#rooms.delete(id);
    // Those who listen to events would keep the server open.
    room.appliance.events.close();
    await closeServer(room.server);
    await room.appliance.close();
    await removeSocket(room.instance.paths.apiSocket);
  }

  async repair(id: string): Promise<void> {
    await this.#rooms.get(id)?.appliance.repair();
  }

  async view(instance: Instance): Promise<InstanceView> {
    const whole = instance.isWhole();
    const appliance = whole ? this.#rooms.get(instance.id)?.appliance : undefined;
    return {
      id: instance.id,
      resource: instance.record.spec.resource,
      state: whole ? 'running' : 'dead',
      created_at: instance.record.created_at,
      attachments: [...instance.attachments],
      appliance_socket: instance.paths.apiSocket,
      applied: appliance?.applied ?? null,
      // Details are for those who ask the appliance itself: this is read for all instances, again and again.
      services: ((await appliance?.status()) ?? []).map(({ detail: _, ...brief }) => brief),
    };
  }

  /** Stops answering. Instances and daemons run on. */
  async close(): Promise<void> {
    await Promise.all([...this.#rooms.keys()].map((id) => this.moveOut(id)));
    await this.#app.close();
    this.#supervisor.close();
  }

  async #listen(path: string, appliance: Appliance): Promise<Server> {
    await removeSocket(path);
    const server = createServer((request, response) => {
      this.#owners.set(request, appliance);
      this.#app.routing(request, response);
    });
    server.keepAliveTimeout = KEEP_ALIVE;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', (cause) =>
      reject(errors.make('AGENT_SOCKET_FAILED', { socket: path, reason: cause.message }, { cause })),
    );
    server.listen(path, resolve);
    await promise;
    return server;
  }
}

/** Requests under way are answered; connections that wait for the next one are ended. */
async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  await promise;
}
