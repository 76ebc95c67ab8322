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
  const pairs = new Pairs();
  for (let at = 0; at < Math.max(real.length, cloud.length); at += 1) {
    const step = real[at]?.step ?? cloud[at]?.step ?? '';
    diff(`${scenario}: ${step}: `, real[at], cloud[at], { found, pairs });
  }
  return found;
}

interface Findings {
  readonly found: Difference[];
  readonly pairs: Pairs;
}

function diff(where: string, real: unknown, cloud: unknown, findings: Findings): void {
  if (isObject(real) && isObject(cloud)) {
    for (const key of new Set([...Object.keys(real), ...Object.keys(cloud)])) {
      diff(join(where, key), at(real, key), at(cloud, key), findings);
    }
  } else if (Array.isArray(real) && Array.isArray(cloud) && real.length === cloud.length) {
    for (const [index, item] of real.entries()) diff(join(where, String(index)), item, cloud[index], findings);
  } else if (typeof real === 'string' && typeof cloud === 'string') {
    if (!findings.pairs.match(real, cloud)) findings.found.push({ where, real, cloud });
  } else if (JSON.stringify(real) !== JSON.stringify(cloud)) {
    findings.found.push({ where, real: real ?? absentOr(real), cloud: cloud ?? absentOr(cloud) });
  }
}

const numbered = /<(id|mac|ip)-\d+>/g;

/** Numbers of ids and addresses: what is one thing for the one must be one thing for the other, too. */
class Pairs {
  readonly #cloud = new Map<string, string>();
  readonly #real = new Map<string, string>();

  match(real: string, cloud: string): boolean {
    if (real.replace(numbered, '<$1>') !== cloud.replace(numbered, '<$1>')) return false;
    const names = cloud.match(numbered) ?? [];
    return (real.match(numbered) ?? []).every((name, index) => this.#pair(name, names[index] ?? ''));
  }

  #pair(real: string, cloud: string): boolean {
    if (!this.#cloud.has(real) && !this.#real.has(cloud)) {
      this.#cloud.set(real, cloud);
      this.#real.set(cloud, real);
    }
    return this.#cloud.get(real) === cloud;
  }
}

const at = (value: Readonly<Record<string, unknown>>, key: string) =>
  Object.hasOwn(value, key) ? value[key] : undefined;
const absentOr = (value: unknown) => (value === undefined ? absent : value);
const join = (where: string, key: string) => (where.endsWith(' ') ? `${where}${key}` : `${where}.${key}`);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
