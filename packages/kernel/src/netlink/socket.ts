/**
 * A netlink socket. It belongs to the namespace that the thread was in when it was made, and stays there.
 *
 * The kernel works off a datagram while it is being sent, so all answers wait in the receive queue when send returns:
 * sending may wait for the kernel's locks and is done on another thread; receiving never waits.
 */
import { setImmediate } from 'node:timers/promises';
import { type Asked, errnoName, refused } from '../errors.ts';
import { Serial } from '../serial.ts';
import type { Libc } from './libc.ts';
import {
  attributes,
  type Message,
  MessageWriter,
  messages,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
  text,
} from './message.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** Room for the answers to a full batch of which every message fails (about 1 KiB each in the kernel's accounting). */
const RECEIVE_BUFFER = 1 << 20;

/** A batch stays below these: the send buffer is 208 KiB, the receive buffer must hold an answer for each message. */
const BATCH_BYTES = 32 << 10;
const BATCH_MESSAGES = 256;

/** Times that a listing is begun again because the kernel's tables changed under it. */
const DUMP_TRIES = 10;

/** Messages are read at once and never kept, so all sockets share this. */
const received = Buffer.alloc(256 << 10);

/** A refusal of one message. */
export interface Refusal {
  readonly sequence: number;
  readonly errno: string;
  /** The kernel's explanation, when it gave one. */
  readonly detail: string;
}

export class NetlinkSocket {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #serial = new Serial();
  #sequence = 0;

  /** Must be called inside the namespace. */
  constructor(libc: Libc, protocol: number, asked: Asked) {
    this.#libc = libc;
    this.#fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
    if (this.#fd < 0) throw refused(asked, errnoName(libc.errno()));
    this.#option(SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
    this.#option(SOL_NETLINK, NETLINK_CAP_ACK, 1);
    this.#option(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    this.#option(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
  }

  /** One user at a time: answers are told apart by the datagram that asked for them. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    return this.#serial.run(task);
  }

  /** After what is under way. */
  close(): void {
    void this.#serial.run(async () => this.closeNow());
  }

  /** At once; for sockets that live within one synchronous piece of work. */
  closeNow(): void {
    this.#libc.close(this.#fd);
  }

  /** A new batch; only inside {@link exclusive}. */
  batch(): Batch {
    return new Batch(() => ++this.#sequence);
  }

  /** Sends the batch and returns what was refused, in order. Only inside {@link exclusive}. */
  async send(batch: Batch, asked: Asked): Promise<Refusal[]> {
    if (batch.empty) return [];
    // The kernel always reports a refusal, and answers in order: when the last message is answered, those without an
    // answer have succeeded. A lost answer shows as ENOBUFS.
    batch.writer.acknowledgeLast();
    const { result, errno } = await this.#libc.sendAsync(this.#fd, batch.writer.bytes());
    if (result < 0) throw refused(asked, errnoName(errno));
    return this.#collect(batch, asked);
  }

  /** As {@link send} of one message, without leaving the thread: for questions that the kernel answers at once. */
  ask(batch: Batch, asked: Asked, onMessage: (message: Message) => void): Refusal[] {
    batch.writer.acknowledgeLast();
    const bytes = batch.writer.bytes();
    if (this.#libc.send(this.#fd, bytes, bytes.length, 0) < 0) throw refused(asked, errnoName(this.#libc.errno()));
    return this.#collect(batch, asked, onMessage);
  }

  /** Lists objects: `request` is the fixed part and attributes of the question; `onMessage` gets each object. */
  dump<T>(type: number, request: Buffer, asked: Asked, decode: (message: Message) => T | undefined): Promise<T[]> {
    return this.exclusive(async () => {
      for (let tries = 1; ; tries++) {
        const { items, interrupted } = await this.#dumpOnce(type, request, asked, decode);
        if (!interrupted) return items;
        if (tries === DUMP_TRIES) throw refused(asked, 'EINTR', 'the tables kept changing while they were listed');
      }
    });
  }

  async #dumpOnce<T>(type: number, request: Buffer, asked: Asked, decode: (message: Message) => T | undefined) {
    const items: T[] = [];
    let interrupted = false;
    const sequence = ++this.#sequence;
    const writer = new MessageWriter();
    writer.begin(type, NLM_F_DUMP, sequence).raw(request).end();
    const { result, errno } = await this.#libc.sendAsync(this.#fd, writer.bytes());
    if (result < 0) throw refused(asked, errnoName(errno));
    for (let datagrams = 1; ; datagrams++) {
      for (const message of messages(this.#receive(asked))) {
        if (message.sequence !== sequence) continue;
        if ((message.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true;
        if (message.type === NLMSG_DONE || message.type === NLMSG_ERROR) {
          const code = message.payload.length >= 4 ? -message.payload.readInt32LE(0) : 0;
          // ENOENT: a table that was never used does not exist, and so is empty.
          if (code !== 0 && errnoName(code) !== 'ENOENT') throw refused(asked, errnoName(code));
          return { items, interrupted };
        }
        const item = decode(message);
        if (item !== undefined) items.push(item);
      }
      // A long list must not keep everybody else waiting.
      if (datagrams % 8 === 0) await setImmediate();
    }
  }

  /** Reads answers up to the one for the last message. */
  #collect(batch: Batch, asked: Asked, onMessage?: (message: Message) => void): Refusal[] {
    const refusals: Refusal[] = [];
    for (;;) {
      for (const message of messages(this.#receive(asked))) {
        // Left over from a batch that was given up.
        if (message.sequence < batch.first) continue;
        if (message.type !== NLMSG_ERROR) {
          onMessage?.(message);
          continue;
        }
        const errno = -message.payload.readInt32LE(0);
        if (errno !== 0)
          refusals.push({ sequence: message.sequence, errno: errnoName(errno), detail: explanation(message) });
        if (message.sequence === batch.last) return refusals;
      }
    }
  }

  #receive(asked: Asked): Buffer {
    const length = this.#libc.recv(this.#fd, received, received.length, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) throw refused(asked, errnoName(this.#libc.errno()), 'the kernel did not answer');
    if (length > received.length) throw refused(asked, 'EMSGSIZE', 'an answer was too long');
    return received.subarray(0, length);
  }

  #option(level: number, name: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    // Best effort: an older kernel without one of them works too, with less said or more to filter.
    this.#libc.setsockopt(this.#fd, level, name, bytes, bytes.length);
  }
}

/** Messages for one datagram. */
export class Batch {
  readonly writer = new MessageWriter();
  readonly #nextSequence: () => number;
  #count = 0;
  #last = 0;

  constructor(nextSequence: () => number) {
    this.#nextSequence = nextSequence;
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  /** Sequence number of the first message. */
  get first(): number {
    return this.#last - this.#count + 1;
  }

  /** Sequence number of the last message. */
  get last(): number {
    return this.#last;
  }

  get full(): boolean {
    return this.#count >= BATCH_MESSAGES || this.writer.length >= BATCH_BYTES;
  }

  /** Returns the message's sequence number. */
  add(type: number, flags: number, write: (writer: MessageWriter) => void): number {
    const sequence = this.#nextSequence();
    this.writer.begin(type, flags, sequence);
    write(this.writer);
    this.writer.end();
    this.#last = sequence;
    this.#count++;
    return sequence;
  }
}

function explanation({ flags, payload }: Message): string {
  if ((flags & NLM_F_ACK_TLVS) === 0) return '';
  // errno, then the refused message: only its header when the answer is capped.
  const echoed = (flags & NLM_F_CAPPED) !== 0 ? 16 : payload.readUInt32LE(4);
  return text(attributes(payload, 4 + ((echoed + 3) & ~3)).get(NLMSGERR_ATTR_MSG));
}
