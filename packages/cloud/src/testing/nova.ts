import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { Requests } from '../api/requests.ts';
import { createServer } from '../api/server.ts';
import { Compute } from '../compute/compute.ts';
import type { Hypervisor } from '../compute/hypervisor.ts';
import { SimulatedHypervisor } from '../compute/simulated.ts';
import { SimulatedWiring } from '../l2/simulated.ts';
import type { Wiring } from '../l2/wiring.ts';
import { Store } from '../store/store.ts';

/** A caller's project and user by token: `<project>/<user>`, with `/admin` behind it for an administrator. */
const authenticate = (token: string | undefined) => {
  const [projectId = '', userId = '', role] = token?.split('/') ?? [];
  return userId === '' ? undefined : { projectId, userId, isAdmin: role === 'admin' };
};

export interface TestNova {
  readonly store: Store;
  readonly requests: Requests;
  readonly compute: Compute;
  readonly project: string;
  /** Answers status and body of a request of the project's user; `token` for another's. */
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    token?: string,
  ): Promise<{ status: number; body: ReturnType<typeof JSON.parse> }>;
  /** As if it were killed: what it made stays. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

/** Nova without Keystone and Neutron's API. */
export async function testNova(
  options: {
    readonly hypervisor?: Hypervisor;
    readonly wiring?: (requests: Requests) => Wiring;
    readonly store?: Store;
    readonly plugTimeout?: number;
  } = {},
): Promise<TestNova> {
  const store = options.store ?? new Store();
  const requests = new Requests(store, () => undefined);
  const log = pino({ level: 'silent' });
  const compute = new Compute({
    requests,
    authenticate,
    log,
    hypervisor: options.hypervisor ?? new SimulatedHypervisor(),
    host: 'here',
    ...(options.plugTimeout === undefined ? {} : { plugTimeout: options.plugTimeout }),
  });
  const wiring = options.wiring?.(requests) ?? new SimulatedWiring(requests);
  const app = createServer(log);
  compute.serve(app);
  await app.ready();
  await wiring.start();
  await compute.start();
  const project = randomUUID();
  return {
    store,
    requests,
    compute,
    project,
    ask: async (method, url, body, token = `${project}/user`) => {
      const answer = await app.inject({
        method,
        url,
        headers: { 'x-auth-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
    },
    leave: async () => {
      await compute.leave();
      await wiring.leave();
      await app.close();
    },
    stop: async () => {
      await compute.stop();
      await wiring.stop();
      await app.close();
    },
  };
}
