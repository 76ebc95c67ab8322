import { request } from 'node:http';
import type { ErrorBody } from '@astara/model/error.ts';
import type { InstanceSpec, InstanceView } from '@astara/model/instance.ts';

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
  readonly text: string;
}

/** A plain HTTP request over a unix socket. */
export function call<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<Answer<T>> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer<T>>();
  const outgoing = request({ socketPath, method, path, agent: false }, async (incoming) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const isJson = incoming.headers['content-type']?.includes('json') === true;
      resolve({ status: incoming.statusCode ?? 0, body: isJson ? JSON.parse(text) : undefined, text });
    } catch (cause) {
      reject(cause);
    }
  });
  outgoing.on('error', reject);
  if (body !== undefined) outgoing.setHeader('content-type', 'application/json');
  outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  return promise;
}

/** What the orchestrator's provider does. */
export function hostClient(socket: string) {
  return {
    list: async () => (await call<InstanceView[]>(socket, 'GET', '/v1/instances')).body,
    get: (id: string) => call<InstanceView & ErrorBody>(socket, 'GET', `/v1/instances/${id}`),
    put: (id: string, spec: InstanceSpec) => call<InstanceView & ErrorBody>(socket, 'PUT', `/v1/instances/${id}`, spec),
    destroy: (id: string) => call<ErrorBody>(socket, 'DELETE', `/v1/instances/${id}`),
  };
}
