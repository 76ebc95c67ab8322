/**
 * Messages of strongSwan's vici protocol (src/libcharon/plugins/vici/README.md of strongSwan, "Message format"): a tree of
 * sections that hold values, lists and further sections. Values are length-prefixed, so that no text needs to be escaped.
 */

/** What is sent. A value is text (UTF-8) or bytes; what is undefined is left out. */
export interface ViciSection {
  readonly [key: string]: ViciValue | undefined;
}
export type ViciValue = string | Uint8Array | readonly (string | Uint8Array)[] | ViciSection;

/** What is received: values are text. Without a prototype, because the peer of a tunnel has a say in some of the keys' values. */
export interface ViciReply {
  readonly [key: string]: string | readonly string[] | ViciReply | undefined;
}

const SECTION_START = 1;
const SECTION_END = 2;
const KEY_VALUE = 3;
const LIST_START = 4;
const LIST_ITEM = 5;
const LIST_END = 6;

/** Bytes of a name and of a value, at most: what their length fields can say. */
const MAX_NAME = 255;
const MAX_VALUE = 65_535;

/** Throws RangeError for a name or value that is too long; it names the key, never the value. */
export function encodeMessage(section: ViciSection): Buffer {
  const parts: Uint8Array[] = [];
  write(parts, section);
  return Buffer.concat(parts);
}

function write(parts: Uint8Array[], section: ViciSection): void {
  for (const [key, value] of Object.entries(section)) {
    if (value === undefined) continue;
    if (typeof value === 'string' || value instanceof Uint8Array) {
      parts.push(named(KEY_VALUE, key), sized(value, key));
    } else if (isList(value)) {
      parts.push(named(LIST_START, key));
      for (const item of value) parts.push(Buffer.of(LIST_ITEM), sized(item, key));
      parts.push(Buffer.of(LIST_END));
    } else {
      parts.push(named(SECTION_START, key));
      write(parts, value);
      parts.push(Buffer.of(SECTION_END));
    }
  }
}

function isList(value: ViciValue): value is readonly (string | Uint8Array)[] {
  return Array.isArray(value);
}

/** An element's type and name; without a type, as packets name commands and events. */
export function named(type: number, name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME) throw new RangeError(`vici: a name of ${bytes.length} bytes`);
  return Buffer.concat([Buffer.of(type, bytes.length), bytes]);
}

function sized(value: string | Uint8Array, key: string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (bytes.length > MAX_VALUE) throw new RangeError(`vici: ${key} has ${bytes.length} bytes`);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

/** Throws SyntaxError when it is not a message. */
export function decodeMessage(bytes: Uint8Array): ViciReply {
  const reader = new Reader(bytes);
  const root: Record<string, ViciReply[string]> = Object.create(null);
  const open = [root];
  while (!reader.done) {
    const section = open.at(-1) ?? root;
    const type = reader.byte();
    if (type === KEY_VALUE) {
      const key = reader.name();
      section[key] = reader.value();
    } else if (type === LIST_START) {
      const key = reader.name();
      section[key] = list(reader);
    } else if (type === SECTION_START) {
      const inner: Record<string, ViciReply[string]> = Object.create(null);
      section[reader.name()] = inner;
      open.push(inner);
    } else if (type === SECTION_END && open.length > 1) {
      open.pop();
    } else {
      throw new SyntaxError(`vici: an element of type ${type} where none may be`);
    }
  }
  if (open.length > 1) throw new SyntaxError('vici: a section has no end');
  return root;
}

function list(reader: Reader): readonly string[] {
  const items: string[] = [];
  for (;;) {
    const type = reader.byte();
    if (type === LIST_END) return items;
    if (type !== LIST_ITEM) throw new SyntaxError(`vici: an element of type ${type} in a list`);
    items.push(reader.value());
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  name(): string {
    return this.#take(this.byte()).toString('utf8');
  }

  value(): string {
    return this.#take(this.byte() * 256 + this.byte()).toString('utf8');
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new SyntaxError('vici: the message is cut off');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
