import type { Delivery } from '../session.ts';

export interface LocalMessage {
  readonly text: string;
  readonly expiration: number | undefined;
  /** By performance.now(). */
  readonly expires: number;
}

export type Receive = (delivery: Delivery) => void;

/** Messages handled in one turn of the event loop: timers and sockets are not to wait for a long queue. */
const perTurn = 64;

/** First in, first out, to each consumer in turn; never in the stack of whoever puts a message in. */
export class LocalQueue {
  readonly name: string;
  readonly #messages: LocalMessage[] = [];
  readonly #consumers: Receive[] = [];
  #turn: NodeJS.Immediate | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Messages that wait for a consumer. */
  get length(): number {
    return this.#messages.length;
  }

  put(message: LocalMessage): void {
    this.#messages.push(message);
    this.#wake();
  }

  addConsumer(receive: Receive): void {
    this.#consumers.push(receive);
    this.#wake();
  }

  removeConsumer(receive: Receive): void {
    const at = this.#consumers.indexOf(receive);
    if (at >= 0) this.#consumers.splice(at, 1);
  }

  /** Messages and consumers are forgotten. */
  clear(): void {
    this.#messages.length = 0;
    this.#consumers.length = 0;
  }

  #wake(): void {
    if (this.#messages.length === 0 || this.#consumers.length === 0) return;
    this.#turn ??= setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#turn = undefined;
    const batch = this.#messages.splice(0, perTurn);
    while (batch.length > 0) {
      const receive = this.#consumers[0];
      if (!receive) break;
      const message = batch.shift();
      if (!message || message.expires <= performance.now()) continue;
      this.#consumers.push(...this.#consumers.splice(0, 1));
      const { text, expiration } = message;
      // Taken when handed over: nothing is left to acknowledge.
      receive({ queue: this.name, body: text, expiration, ack: () => undefined });
    }
    // What is left when the last consumer has gone meanwhile.
    this.#messages.unshift(...batch);
    this.#wake();
  }
}
