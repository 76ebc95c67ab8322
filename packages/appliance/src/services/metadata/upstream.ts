import { Agent, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http';
import type { Readable } from 'node:stream';
import type { Endpoint } from './state.ts';

/** ms */
const TIMEOUT = 30_000;

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  /** Undefined: it has none, and may be asked twice. */
  readonly body: Readable | undefined;
}

/** Connections to the metadata service: few, and used again, however many machines boot at once. */
export class Upstream {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32, maxFreeSockets: 32 });

  /** Resolves with the head of the answer; aborting ends it at any time. */
  async ask(endpoint: Endpoint, question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const first = this.#send(endpoint, question, this.#agent, signal);
    try {
      return await first.answer;
    } catch (error) {
      // The other side has ended an idle connection in the moment that we took it.
      const lost = first.request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!lost || question.body !== undefined || signal.aborted) throw error;
      return this.#send(endpoint, question, false, signal).answer;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(endpoint: Endpoint, question: Question, agent: Agent | false, signal: AbortSignal) {
    const { method, path, headers, body } = question;
    const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sent: ClientRequest = request({ ...endpoint, agent, method, path, headers, timeout: TIMEOUT, signal });
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT} ms`)));
    if (body === undefined) sent.end();
    else body.pipe(sent);
    return { request: sent, answer };
  }
}
