import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAtomically } from './state-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), `at-state-${process.pid}-`));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('is not led elsewhere by links that somebody has laid', () => {
  const path = join(directory, 'leases');
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'precious', { mode: 0o600 });
  symlinkSync(victim, `${path}.tmp`);
  symlinkSync(victim, path);
  writeAtomically(path, 'text', 0o640);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(readFileSync(path, 'utf8')).toBe('text');
  expect(statSync(path).mode & 0o777).toBe(0o640);
  expect(readdirSync(directory).sort()).toEqual(['leases', 'victim']);
});
