import { request } from 'node:http';
import { ErrorAnswer } from '@astara/model/appliance/api/error.ts';
import { operations } from '@astara/model/appliance/api/openapi.ts';
import { validator } from '@astara/model/validate.ts';
import type { FastifyInstance } from 'fastify';
import { createApi } from '../api/api.ts';
import { Appliance } from '../appliance.ts';
import { World } from './world.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Undefined when the answer is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what it is has been checked against the operation's schema
  readonly body: any;
}

const validError = validator(ErrorAnswer);
const validAnswers = new Map(
  operations.flatMap(({ method, path, answer }) => {
    if (!('schema' in answer)) return [];
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
    return [[{ method, pattern }, validator(answer.schema)] as const];
  }),
);

/** An appliance behind its API on a port of the loopback, in a {@link World} with these segments: bridge → interface. */
export class ApiWorld {
  readonly world: World;
  readonly appliance: Appliance;
  readonly #app: FastifyInstance;
  readonly #port: number;

  private constructor(world: World, appliance: Appliance, app: FastifyInstance, port: number) {
    this.world = world;
    this.appliance = appliance;
    this.#app = app;
    this.#port = port;
  }

  static async create(segments: Readonly<Record<string, string>>): Promise<ApiWorld> {
    const world = await World.create();
    try {
      for (const [bridge, ifname] of Object.entries(segments)) await world.segment(bridge, ifname);
      const appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
      const app = createApi({ resolve: ({ headers }) => (headers.host === 'nobody' ? undefined : appliance) });
      const address = await app.listen({ host: '127.0.0.1', port: 0 });
      return new ApiWorld(world, appliance, app, Number(new URL(address).port));
    } catch (error) {
      await world.destroy();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Sends `body`, as JSON unless it is text. Throws when the answer is not what the operation says it is. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = {
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      agent: false,
      headers: { ...type, ...headers },
    };
    const outgoing = request(options, async (incoming) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        const isJson = text !== '' && incoming.headers['content-type']?.startsWith('application/json') === true;
        const answer = { status: incoming.statusCode ?? 0, headers: incoming.headers, text };
        resolve(conforming(method, path, { ...answer, body: isJson ? JSON.parse(text) : undefined }));
      } catch (error) {
        reject(error);
      }
    });
    outgoing.on('error', reject);
    outgoing.end(body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    return promise;
  }

  async close(): Promise<void> {
    try {
      await this.appliance.close();
      await this.#app.close();
    } finally {
      await this.world.destroy();
    }
  }
}

function conforming(method: string, path: string, answer: Answer): Answer {
  const [bare = ''] = path.split('?');
  const [, validate] = [...validAnswers].find(([key]) => key.method === method && key.pattern.test(bare)) ?? [];
  const checked = answer.status >= 400 ? validError(answer.body) : answer.status === 200 && validate?.(answer.body);
  if (typeof checked !== 'object' || checked.ok || method === 'HEAD') return answer;
  throw new Error(`${method} ${path} answered ${answer.status} ${answer.text}: ${JSON.stringify(checked.errors)}`);
}
