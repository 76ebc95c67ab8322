import type { OptionSpec, OptionValue } from './option.ts';
import { Secret } from './secret.ts';

export type ParsedValue =
  | { readonly ok: true; readonly value: OptionValue }
  | { readonly ok: false; readonly problem: string };

const TRUE = ['true', '1', 'on', 'yes'];
const FALSE = ['false', '0', 'off', 'no'];

/** Text of a file, variables already filled in → compiled value. The problem never quotes a secret. */
export function parseValue(spec: OptionSpec, text: string): ParsedValue {
  if (text === '' && spec.default === null) return { ok: true, value: null };
  if (spec.type === 'list') return parseList(spec, text);
  if (text.includes('\n'))
    return bad('goes on in a second line (in a file: the indented one below it), and takes one line only');
  switch (spec.type) {
    case 'string':
    case 'path':
      return parseText(spec, text);
    case 'boolean': {
      const word = text.toLowerCase();
      if (TRUE.includes(word)) return { ok: true, value: true };
      if (FALSE.includes(word)) return { ok: true, value: false };
      return bad(`is ${quote(spec, text)}, neither true nor false`);
    }
    case 'integer':
    case 'number':
    case 'duration':
      return parseNumber(spec, text);
  }
}

/** Compiled value → text that {@link parseValue} reads back, for a file. Secrets come out masked. */
export function formatValue(spec: OptionSpec, value: OptionValue): string {
  if (value === null) return '';
  if (value instanceof Secret) return value.isEmpty ? '' : String(value);
  if (typeof value === 'object') return protect(value.join(','));
  if (typeof value === 'number') return String(spec.type === 'duration' ? value / 1000 : value);
  return typeof value === 'boolean' ? String(value) : protect(value);
}

/** What an option takes, to complete “Set it to …”. */
export function acceptedText(spec: OptionSpec): string {
  if (spec.accepts !== undefined) {
    return spec.type === 'list' ? `a list, separated by commas, of ${spec.accepts.text}` : spec.accepts.text;
  }
  const { min, max } = spec;
  const range =
    min !== undefined && max !== undefined
      ? ` from ${min} to ${max}`
      : min !== undefined
        ? ` of at least ${min}`
        : max !== undefined
          ? ` of at most ${max}`
          : '';
  const unit = spec.unit === undefined ? '' : ` (${spec.unit})`;
  switch (spec.type) {
    case 'string':
      if (spec.choices !== undefined) return `one of ${spec.choices.join(', ')}`;
      return range === '' ? 'a line of text' : `a line of text${range} characters`;
    case 'path':
      return 'an absolute path';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${range}${unit}`;
    case 'number':
      return `a number${range}${unit}`;
    case 'duration':
      return `a number of seconds${range}`;
    case 'list':
      return spec.choices === undefined
        ? 'a list, separated by commas'
        : `a list, separated by commas, of ${spec.choices.join(', ')}`;
  }
}

function parseText(spec: OptionSpec, text: string): ParsedValue {
  const problem = textProblem(spec, text);
  if (problem !== undefined) return bad(problem);
  return { ok: true, value: spec.secret === true ? new Secret(text) : text };
}

function parseList(spec: OptionSpec, text: string): ParsedValue {
  const items = text
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  for (const item of items) {
    const problem = textProblem(spec, item);
    if (problem !== undefined) return bad(problem);
  }
  return { ok: true, value: items };
}

function textProblem(spec: OptionSpec, text: string): string | undefined {
  const { min = 0, max = Number.POSITIVE_INFINITY } = spec;
  if (spec.type === 'path' && (!text.startsWith('/') || text.includes('\0'))) {
    return `is ${quote(spec, text)}, which is no absolute path`;
  }
  if (spec.choices !== undefined && !spec.choices.includes(text)) return `is ${quote(spec, text)}`;
  if (spec.accepts !== undefined && !spec.accepts.test(text)) return `is ${quote(spec, text)}`;
  if (text.length < min || text.length > max) {
    return `is ${text === '' ? 'empty' : `${text.length} characters long`}`;
  }
  return undefined;
}

function parseNumber(spec: OptionSpec, text: string): ParsedValue {
  const shape = spec.type === 'integer' ? /^[+-]?\d{1,16}$/ : /^[+-]?(\d{1,16}(\.\d{0,9})?|\.\d{1,9})$/;
  if (!shape.test(text)) return bad(`is ${quote(spec, text)}`);
  // `+ 0`: there is no -0.
  const value = Number(text) + 0;
  if (!Number.isSafeInteger(Math.trunc(value))) return bad(`is ${quote(spec, text)}`);
  if (spec.min !== undefined && value < spec.min) return bad(`is ${quote(spec, text)}, less than ${spec.min}`);
  if (spec.max !== undefined && value > spec.max) return bad(`is ${quote(spec, text)}, more than ${spec.max}`);
  return { ok: true, value: spec.type === 'duration' ? Math.round(value * 1000) : value };
}

/** For messages: short, on one line, and never a secret. */
function quote(spec: OptionSpec, text: string): string {
  if (spec.secret === true) return 'of a form that cannot be right (not shown: it is secret)';
  const shown = text.replace(/\/\/[^/\s]*@/g, '//***@');
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown);
}

function bad(problem: string): ParsedValue {
  return { ok: false, problem };
}

/** Text that survives reading: the reader fills `$variables`, trims, and drops one pair of quotes. */
function protect(text: string): string {
  const escaped = text.replaceAll('$', '\\$');
  return /^\s|\s$|^["']/.test(escaped) ? `"${escaped}"` : escaped;
}
