import type { Transcript } from './transcript.ts';

export interface Difference {
  /** `scenario: step: part.path`. */
  readonly where: string;
  readonly real: unknown;
  readonly cloud: unknown;
}

/** Absent: not there, which is not null. */
const absent = '(absent)';

export function compare(scenario: string, real: Transcript, cloud: Transcript): Difference[] {
  const found: Difference[] = [];
  for (let at = 0; at < Math.max(real.length, cloud.length); at += 1) {
    const step = real[at]?.step ?? cloud[at]?.step ?? '';
    diff(`${scenario}: ${step}: `, real[at], cloud[at], found);
  }
  return found;
}

function diff(where: string, real: unknown, cloud: unknown, found: Difference[]): void {
  if (isObject(real) && isObject(cloud)) {
    for (const key of new Set([...Object.keys(real), ...Object.keys(cloud)])) {
      diff(join(where, key), at(real, key), at(cloud, key), found);
    }
  } else if (Array.isArray(real) && Array.isArray(cloud) && real.length === cloud.length) {
    for (const [index, item] of real.entries()) diff(join(where, String(index)), item, cloud[index], found);
  } else if (JSON.stringify(real) !== JSON.stringify(cloud)) {
    found.push({ where, real: real ?? absentOr(real), cloud: cloud ?? absentOr(cloud) });
  }
}

const at = (value: Readonly<Record<string, unknown>>, key: string) =>
  Object.hasOwn(value, key) ? value[key] : undefined;
const absentOr = (value: unknown) => (value === undefined ? absent : value);
const join = (where: string, key: string) => (where.endsWith(' ') ? `${where}${key}` : `${where}.${key}`);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
