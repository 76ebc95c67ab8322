import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { networkRow } from '../network/plain-rows.ts';
import { StoreFile } from './file.ts';
import { Store } from './store.ts';

let dir: string;
let path: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cloud-store-'));
  path = join(dir, 'cloud.sqlite');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

function open(): { store: Store; close(): void } {
  const store = new Store();
  const file = new StoreFile(path, store);
  return { store, close: () => file.close() };
}

test('what was committed is there again, in the same order and findable; what was undone or deleted is not', () => {
  const rows = ['a', 'b', 'c'].map((name) => networkRow({ name, project_id: 'p' }));
  const one = open();
  one.store.transaction(() => rows.map((row) => one.store.networks.put(row)));
  one.store.transaction(() => one.store.networks.delete(rows[1]?.id ?? ''));
  const undone = () => {
    one.store.networks.put(networkRow({ name: 'undone' }));
    throw new Error('no');
  };
  expect(() => one.store.transaction(undone)).toThrow('no');
  one.close();
  const { store, close } = open();
  expect(store.networks.all()).toEqual([rows[0], rows[2]]);
  expect(store.networks.by('project', 'p')).toHaveLength(2);
  close();
});

test('a transaction that cannot be written does not hold', () => {
  const { store, close } = open();
  const heard: unknown[] = [];
  store.onCommit((changes) => heard.push(changes));
  close();
  expect(() => store.transaction(() => store.networks.put(networkRow()))).toThrow();
  expect([store.networks.size, heard]).toEqual([0, []]);
});

test('kill -9 in the middle leaves whole transactions', async () => {
  const writer = new URL('../testing/pairs.ts', import.meta.url).pathname;
  let known = 0;
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const exited = once(child, 'exit');
    // It writes a line for each transaction that holds.
    let told = known;
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        const last = chunk.toString().trim().split('\n').at(-1);
        if (last !== undefined && last !== '') told = Number(last);
        if (told >= known + 50) resolve();
      });
    });
    child.kill('SIGKILL');
    await exited;
    const { store, close } = open();
    const names = store.networks.all().map((row) => row.name);
    close();
    const pairs = new Map<string, number>();
    for (const name of names) pairs.set(name, (pairs.get(name) ?? 0) + 1);
    expect([...pairs.values()].every((count) => count === 2)).toBe(true);
    expect(pairs.size).toBeGreaterThanOrEqual(told);
    known = pairs.size;
  }
});

test('a file belongs to one cloud at a time', () => {
  const { close } = open();
  expect(() => open()).toThrow(
    expect.objectContaining({ code: 'CLOUD_FILE', message: expect.stringContaining('locked') }),
  );
  close();
  open().close();
});
