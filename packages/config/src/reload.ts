import type { Config, OptionValue, Section } from './option.ts';
import { Secret } from './secret.ts';

export interface Reloaded<Sections extends readonly Section[]> {
  /** The running configuration with the new values of its mutable options. */
  readonly config: Config<Sections>;
  /** `[section] option` of what has taken effect. */
  readonly changed: readonly string[];
  /** What is different in the file, but needs a restart. */
  readonly needsRestart: readonly string[];
}

/** For SIGHUP: what of a freshly read configuration may take effect in a running program. */
export function applyMutable<const Sections extends readonly Section[]>(
  sections: Sections,
  running: Config<Sections>,
  fresh: Config<Sections>,
): Reloaded<Sections> {
  type Values = Record<string, Record<string, OptionValue>>;
  const before = running as Values;
  const after = fresh as Values;
  const config: Values = {};
  const changed: string[] = [];
  const needsRestart: string[] = [];
  for (const { section, options } of sections) {
    const values: Record<string, OptionValue> = { ...before[section] };
    for (const [name, spec] of Object.entries(options)) {
      const value = after[section]?.[name] ?? null;
      if (same(values[name] ?? null, value)) continue;
      (spec.mutable ? changed : needsRestart).push(`[${section}] ${name}`);
      if (spec.mutable) values[name] = value;
    }
    config[section] = values;
  }
  return { config: config as Config<Sections>, changed, needsRestart };
}

function same(a: OptionValue, b: OptionValue): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.equals(b);
  if (typeof a === 'object' && typeof b === 'object') return JSON.stringify(a) === JSON.stringify(b);
  return a === b;
}
