import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import { AstaraError } from '@astara/model/error.ts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compile } from './apply/state.ts';
import { services } from './services/services.ts';
import { anything } from './testing/corpus.ts';
import { INJECTED, mutated, mutations } from './testing/hostile.ts';

/** Runs; a failure prints the seed and the path that replay it (fast-check). */
const RUNS = Number(process.env.ASTARA_FUZZ_RUNS ?? 100_000);

// The same every time, so that a seed replays.
const corpus = fc.sample(anything, { numRuns: 300, seed: 1 });

it(`${RUNS} bodies are refused with the field named, or are compiled into nothing that a daemon would misread`, () => {
  const seen = { refused: 0, inexpressible: 0, compiled: 0 };
  fc.assert(
    fc.property(fc.nat({ max: corpus.length - 1 }), mutations, (index, all) => {
      // As it comes off the wire: what is undefined is not there.
      const body: unknown = JSON.parse(JSON.stringify(mutated(corpus[index], all)) ?? 'null');
      const checked = validateConfig(body);
      if (!checked.ok) {
        seen.refused += 1;
        if (checked.errors.length === 0) throw new Error('refused without a reason');
        for (const { field, message } of checked.errors) {
          if (!field.startsWith('/') || message === '') throw new Error(`no field: ${field} ${message}`);
        }
        return;
      }
      const texts = compiledTexts(checked.value);
      if (texts === undefined) {
        seen.inexpressible += 1;
        return;
      }
      seen.compiled += 1;
      for (const text of texts) {
        if (new RegExp(`^\\s*${INJECTED}`, 'm').test(text)) throw new Error(`a line of a tenant's: ${text}`);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
        if (/[\u0000-\u0008\u000b-\u001f\u007f\u2028]/.test(text)) throw new Error(`a control character: ${text}`);
      }
    }),
    { numRuns: RUNS },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  // Otherwise it has looked at one side only.
  expect(seen.refused).toBeGreaterThan(RUNS / 10);
  expect(seen.compiled).toBeGreaterThan(RUNS / 20);
}, 600_000);

/** Every text of the compiled states: what renderers have made and what daemons are told. Undefined when it was refused with its field. */
function compiledTexts(config: ApplianceConfig): string[] | undefined {
  try {
    const { parts } = compile(services, config, '/run');
    const texts: string[] = [];
    for (const { value } of parts.values()) collect(value, texts, new Set());
    return texts;
  } catch (error) {
    if (!(error instanceof AstaraError) || error.status !== 422) throw error;
    if (error.field === undefined) throw new Error(`refused without a field: ${error.message}`);
    return undefined;
  }
}

function collect(value: unknown, into: string[], seen: Set<unknown>): void {
  if (typeof value === 'string') into.push(value);
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  const inner = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  for (const one of inner) collect(one, into, seen);
}
