import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from './step.ts';
import { read, type Transcript, write } from './transcript.ts';

const directory = join(import.meta.dirname, '../../test-fixtures/contract');

const fileOf = ({ name }: Scenario) => join(directory, `${name.replaceAll(' ', '-')}.jsonl`);

/** What the real Neutron answered, when it was last asked. */
export function recorded(scenario: Scenario): Transcript {
  return read(readFileSync(fileOf(scenario), 'utf8'));
}

export function record(scenario: Scenario, transcript: Transcript): void {
  writeFileSync(fileOf(scenario), write(transcript));
}
