import { isUtf8 } from 'node:buffer';
import { escaped } from '@astara/model/appliance/rules/fail.ts';
import { errors } from '../errors.ts';

/** Bytes. 100,000 allocations are about 20 MB. */
export const BODY_LIMIT = 64 * 1024 * 1024;
/** Arrays and objects within each other. A configuration has 8. */
export const DEPTH_LIMIT = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = [0x7b, 0x5b] as const;
const CLOSING = [0x7d, 0x5d] as const;

/**
 * The value of a JSON text (RFC 8259). Stricter than `JSON.parse`: a key that comes twice in one object is refused, because nobody
 * knows which is meant (§4); so are `__proto__`, what is nested deeper than {@link DEPTH_LIMIT}, and what is not UTF-8.
 */
export function parseBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw refused('it is not UTF-8');
  const members = countMembers(bytes);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // Of V8's message only the place: it quotes the text, which may hold a secret.
    const [place = ''] = /at position \d+/.exec(cause instanceof Error ? cause.message : '') ?? [];
    throw refused(`it is not JSON ${place}`.trimEnd());
  }
  // Of two members with one name JSON.parse keeps the last.
  if (countKeys(value) !== members) {
    const field = firstDuplicate(text);
    throw refused(`${field} is there twice`, field);
  }
  return value;
}

/** Members of all objects of a JSON text, in one pass over the bytes: of some text for one that is not JSON. */
function countMembers(bytes: Buffer): number {
  let members = 0;
  let depth = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index += 1;
      while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
    } else if (byte === COLON) {
      members += 1;
    } else if (byte === OPENING[0] || byte === OPENING[1]) {
      depth += 1;
      if (depth > DEPTH_LIMIT) throw refused(`it is nested deeper than ${DEPTH_LIMIT} levels`);
    } else if (byte === CLOSING[0] || byte === CLOSING[1]) {
      depth -= 1;
    }
  }
  return members;
}

/** Scalars cost no call: there are as many as a configuration is long. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  if (Array.isArray(value)) {
    for (const element of value) if (typeof element === 'object') sum += countKeys(element);
    return sum;
  }
  if (Object.hasOwn(value, '__proto__')) throw refused('no key may be __proto__');
  // Of an object out of JSON.parse these are its own keys.
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    sum += typeof inner === 'object' ? 1 + countKeys(inner) : 1;
  }
  return sum;
}

/** JSON pointer of the first key that comes again in its object. */
function firstDuplicate(text: string): string {
  const path: { readonly keys: Set<string> | undefined; at: string | number }[] = [];
  for (const { 0: token, 1: colon } of text.matchAll(/"(?:[^"\\]|\\.)*"\s*(:?)|[{}[\],]/g)) {
    const level = path.at(-1);
    if (token === '{') path.push({ keys: new Set(), at: '' });
    else if (token === '[') path.push({ keys: undefined, at: 0 });
    else if (token === '}' || token === ']') path.pop();
    else if (token === ',' && typeof level?.at === 'number') level.at += 1;
    else if (colon === ':' && level?.keys !== undefined) {
      const key: string = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1));
      level.at = key;
      if (level.keys.has(key)) break;
      level.keys.add(key);
    }
  }
  return path.map(({ at }) => `/${escaped(String(at))}`).join('');
}

function refused(reason: string, field?: string) {
  return errors.make('APPLIANCE_BODY_REFUSED', { reason }, field === undefined ? {} : { field });
}
