import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { passwordAuth } from './testing/cloud.ts';

const program = join(import.meta.dirname, '../bin/astara-cloud.mjs');
let dir: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cloud-main-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  child = undefined;
  rmSync(dir, { recursive: true });
});

function configure(text: string): string {
  const file = join(dir, 'cloud.conf');
  writeFileSync(file, text);
  return file;
}

test('the program serves what its file says, tells nobody a password, and ends when told to', async () => {
  const users = 'admin_password = hush-admin\ntenants = blue\ntenant_password = hush-blue';
  const file = configure(`[cloud]\nbind_port = 0\ndatabase = ${dir}/db\n[identity]\n${users}\n`);
  const running = spawn(process.execPath, [program, '--config-file', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = running;
  const exited = once(running, 'exit');
  const lines: string[] = [];
  const up = Promise.withResolvers<string>();
  createInterface({ input: running.stdout }).on('line', (line) => {
    lines.push(line);
    const entry = JSON.parse(line);
    if (entry.msg === 'the cloud is up') up.resolve(entry.auth_url);
  });
  createInterface({ input: running.stderr }).on('line', (line) => lines.push(line));
  void exited.then(() => up.reject(new Error(lines.join('\n'))));
  const url = await up.promise;
  const login = async (password: string) => {
    const body = JSON.stringify(passwordAuth('blue', password, 'blue'));
    return (await fetch(`${url}/auth/tokens`, { method: 'POST', body })).status;
  };
  expect([await login('hush-blue'), await login('hush-admin')]).toEqual([201, 401]);
  running.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(lines.join('\n')).not.toContain('hush');
});

test('tenants without a password are refused before anything starts', () => {
  const file = configure('[identity]\nadmin_password = a\ntenants = blue\n');
  const { status, stderr } = spawnSync(process.execPath, [program, '--config-file', file], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([2, expect.stringContaining('[identity] tenant_password is not set')]);
});
