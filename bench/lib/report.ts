import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, totalmem } from 'node:os';

/** One thing measured on both sides in the same run. `ratio`: how many times less Astara needs. */
export interface Figure {
  readonly name: string;
  readonly unit: 's' | 'MiB';
  readonly astara: number;
  readonly peer: number;
  readonly ratio: number;
}

export function figure(name: string, unit: Figure['unit'], astara: number, peer: number): Figure {
  return { name, unit, astara: round(astara), peer: round(peer), ratio: round(peer / astara) };
}

export interface Spread {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Nearest-rank percentiles. */
export function spread(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (p: number) => round(sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN);
  return { n: sorted.length, min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

export function machine(): Readonly<Record<string, string | number>> {
  const cpu = /model name\s*: (.*)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const gib = Math.round(totalmem() / 2 ** 30);
  return { cpu, cores: availableParallelism(), memory: `${gib} GiB`, kernel: release(), node: process.version };
}

/** Progress, for people, on stderr. */
export function say(text: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)} load ${loadavg()[0]?.toFixed(1)}  ${text}`);
}

/** The last line of a bench: everything, for programs. */
export function finish(bench: string, figures: readonly Figure[], details: object = {}): void {
  console.log(JSON.stringify({ bench, figures, machine: machine(), ...details }));
}

export function round(value: number): number {
  return Number(value.toPrecision(4));
}
