import { connect, type Socket } from 'node:net';
import { errors } from '../../errors.ts';
import { decodeMessage, encodeMessage, named, type ViciReply, type ViciSection } from './vici-message.ts';

/** Packet types. */
const CMD_REQUEST = 0;
const CMD_RESPONSE = 1;
const CMD_UNKNOWN = 2;
const EVENT_REGISTER = 3;
const EVENT_UNREGISTER = 4;
const EVENT_CONFIRM = 5;
const EVENT_UNKNOWN = 6;
const EVENT = 7;

/** Bytes of a packet, at most; charon's limit. */
const MAX_PACKET = 512 * 1024;
/** ms */
const TIMEOUT = 5_000;

/** For one request: what is to be sent, and who waits for the answer. */
interface Request {
  readonly packet: Buffer;
  readonly what: string;
  readonly resolve: (message: ViciReply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A connection to charon over its vici socket. The protocol has no request numbers: one request is under way at a time, the others
 * wait; events come whenever they happen. When anything goes wrong the connection ends, and with it every request.
 */
export class Vici {
  readonly #socket: Socket;
  readonly #waiting: Request[] = [];
  readonly #listeners = new Map<string, (message: ViciReply) => void>();
  #current: Request | undefined;
  #received: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;
  #streams: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;

  private constructor(socket: Socket, closed: () => void) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#fail(new Error('charon closed the connection'));
      closed();
    });
  }

  /** `closed` is called once, however the connection ends. Rejects when nobody listens on `path`. */
  static connect(path: string, closed: () => void = () => undefined): Promise<Vici> {
    const { promise, resolve, reject } = Promise.withResolvers<Vici>();
    const socket = connect(path);
    // The process may end while this is open.
    socket.unref();
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(new Vici(socket, closed));
    });
    return promise;
  }

  /** Rejects with APPLIANCE_DAEMON_REFUSED when charon says no, with APPLIANCE_DAEMON_SILENT when it says nothing. */
  async request(command: string, message: ViciSection = {}): Promise<ViciReply> {
    const reply = await this.ask(command, message);
    if (reply.success === 'no') throw refused(command, String(reply.errmsg ?? 'no reason given'));
    return reply;
  }

  /** The same, for those to whom a no is an answer. */
  async ask(command: string, message: ViciSection = {}): Promise<ViciReply> {
    return this.#send(CMD_REQUEST, command, message);
  }

  /** A command that streams its results as events of this name. One at a time: events do not tell whose they are. */
  stream(command: string, event: string, message: ViciSection = {}): Promise<readonly ViciReply[]> {
    const result = this.#streams.then(async () => {
      const results: ViciReply[] = [];
      await this.listen(event, (part) => results.push(part));
      await this.request(command, message);
      this.#listeners.delete(event);
      await this.#send(EVENT_UNREGISTER, event);
      return results;
    });
    this.#streams = result.catch(() => undefined);
    return result;
  }

  async listen(event: string, listener: (message: ViciReply) => void): Promise<void> {
    this.#listeners.set(event, listener);
    await this.#send(EVENT_REGISTER, event);
  }

  close(): void {
    this.#fail(new Error('the connection was closed'));
  }

  #send(type: number, name: string, message: ViciSection = {}): Promise<ViciReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ViciReply>();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const packet = Buffer.concat([named(type, name), encodeMessage(message)]);
    if (packet.length > MAX_PACKET) throw refused(name, `a message of ${packet.length} bytes`);
    this.#waiting.push({ packet, what: name, resolve, reject });
    this.#next();
    return promise;
  }

  #next(): void {
    if (this.#current !== undefined) return;
    this.#current = this.#waiting.shift();
    if (this.#current === undefined) return;
    const { packet, what } = this.#current;
    this.#timer = setTimeout(() => this.#fail(new Error(`no answer to ${what} within ${TIMEOUT} ms`)), TIMEOUT);
    this.#timer.unref();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(packet.length);
    this.#socket.write(Buffer.concat([length, packet]));
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      while (this.#received.length >= 4) {
        const length = this.#received.readUInt32BE();
        if (length === 0 || length > MAX_PACKET) throw new SyntaxError(`vici: a packet of ${length} bytes`);
        if (this.#received.length < 4 + length) return;
        const packet = this.#received.subarray(4, 4 + length);
        this.#received = this.#received.subarray(4 + length);
        this.#packet(packet);
      }
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #packet(packet: Buffer): void {
    const type = packet[0];
    if (type === EVENT) {
      const end = 2 + (packet[1] ?? 0);
      this.#listeners.get(packet.toString('utf8', 2, end))?.(decodeMessage(packet.subarray(end)));
      return;
    }
    const request = this.#current;
    if (request === undefined) throw new SyntaxError(`vici: a packet of type ${type} that nobody asked for`);
    const answered = type === CMD_RESPONSE ? decodeMessage(packet.subarray(1)) : {};
    clearTimeout(this.#timer);
    this.#current = undefined;
    if (type === CMD_RESPONSE || type === EVENT_CONFIRM) request.resolve(answered);
    else if (type === CMD_UNKNOWN || type === EVENT_UNKNOWN)
      request.reject(refused(request.what, 'it does not know it'));
    else throw new SyntaxError(`vici: a packet of type ${type}`);
    this.#next();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    clearTimeout(this.#timer);
    const failure = errors.make(
      'APPLIANCE_DAEMON_SILENT',
      { daemon: 'charon', reason: error.message },
      { cause: error },
    );
    this.#failure = failure;
    const pending = this.#current === undefined ? this.#waiting : [this.#current, ...this.#waiting];
    for (const request of pending.splice(0)) request.reject(failure);
    this.#current = undefined;
    this.#listeners.clear();
    this.#socket.destroy();
  }
}

function refused(command: string, reason: string) {
  return errors.make('APPLIANCE_DAEMON_REFUSED', { daemon: 'charon', reason: `${command}: ${reason}` });
}
