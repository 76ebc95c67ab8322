/** Netlink messages: a header, a fixed part, and attributes that may hold attributes. Host byte order (little endian). */

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const HEADER = 16;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

const align = (length: number) => (length + 3) & ~3;

/** Writes messages one behind the other, as they go into one datagram. */
export class MessageWriter {
  #buffer = Buffer.alloc(4096);
  #length = 0;
  #start = 0;

  get length(): number {
    return this.#length;
  }

  /** The datagram so far. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  begin(type: number, flags: number, sequence: number): this {
    this.#start = this.#length;
    const at = this.#take(HEADER);
    this.#buffer.writeUInt16LE(type, at + 4);
    this.#buffer.writeUInt16LE(flags | NLM_F_REQUEST, at + 6);
    this.#buffer.writeUInt32LE(sequence, at + 8);
    return this;
  }

  end(): void {
    this.#buffer.writeUInt32LE(this.#length - this.#start, this.#start);
  }

  /** Asks the kernel to answer the last message also when it succeeds. */
  acknowledgeLast(): void {
    this.#buffer.writeUInt16LE(this.#buffer.readUInt16LE(this.#start + 6) | NLM_F_ACK, this.#start + 6);
  }

  /** The fixed part behind the header, and any raw bytes. */
  raw(bytes: Buffer): this {
    const at = this.#take(bytes.length); // first: it may put another buffer in place
    bytes.copy(this.#buffer, at);
    return this;
  }

  attribute(type: number, bytes: Buffer): this {
    const at = this.#take(4 + bytes.length);
    this.#buffer.writeUInt16LE(4 + bytes.length, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    bytes.copy(this.#buffer, at + 4);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#take(8);
    this.#buffer.writeUInt16LE(8, at);
    this.#buffer.writeUInt16LE(type, at + 2);
    this.#buffer.writeUInt32LE(value, at + 4);
    return this;
  }

  /** NUL-terminated. */
  string(type: number, text: string): this {
    return this.attribute(type, Buffer.from(`${text}\0`));
  }

  nest(type: number, content: () => void): this {
    const at = this.#take(4);
    this.#buffer.writeUInt16LE(type | NLA_F_NESTED, at + 2);
    content();
    this.#buffer.writeUInt16LE(this.#length - at, at);
    return this;
  }

  /** Reserves zeroed, aligned room and returns where it begins. */
  #take(length: number): number {
    const at = this.#length;
    this.#length += align(length);
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Behind the header. Valid until the next datagram is received. */
  readonly payload: Buffer;
}

/** The messages of one datagram. */
export function* messages(datagram: Buffer): Generator<Message> {
  let at = 0;
  while (at + HEADER <= datagram.length) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER || at + length > datagram.length) return;
    yield {
      type: datagram.readUInt16LE(at + 4),
      flags: datagram.readUInt16LE(at + 6),
      sequence: datagram.readUInt32LE(at + 8),
      payload: datagram.subarray(at + HEADER, at + length),
    };
    at += align(length);
  }
}

export type Attributes = ReadonlyMap<number, Buffer>;

/** The attributes from `offset` on, by type. The last one of a type wins. */
export function attributes(payload: Buffer, offset = 0): Attributes {
  const found = new Map<number, Buffer>();
  let at = offset;
  while (at + 4 <= payload.length) {
    const length = payload.readUInt16LE(at);
    if (length < 4 || at + length > payload.length) break;
    found.set(payload.readUInt16LE(at + 2) & NLA_TYPE_MASK, payload.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

export function text(bytes: Buffer | undefined): string {
  if (bytes === undefined) return '';
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
