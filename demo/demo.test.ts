import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { type Ended, execute } from '../e2e/lib/exec.ts';
import { waitFor } from '../e2e/lib/wait.ts';

const repo = new URL('..', import.meta.url).pathname;
const program = `${repo}demo/main.ts`;
let running: ChildProcess | undefined;

afterEach(async () => {
  if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
  running.kill('SIGINT');
  await once(running, 'exit');
});

/** Namespaces that a demo makes. */
function namespaces(): string[] {
  const all = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  return all.filter((name) => /^(astara-[0-9a-f]{8}-|vm-[0-9a-f]{8}$|astara-internet$)/.test(name));
}

function demo(argv: readonly string[]): Promise<Ended> {
  return execute(argv, { timeout: 120_000 });
}

test('./run demo --check: builds, proves with packets, leaves nothing', { timeout: 150_000 }, async () => {
  const before = namespaces();
  const { code, stdout, stderr } = await demo([`${repo}run`, 'demo', '--check']);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/HTTP from the internet through the floating IP {2}“red-server”/);
  expect(stdout).toMatch(/router blue +CONFIGURED/);
  expect(code).toBe(0);
  expect(namespaces()).toEqual(before);
  expect(existsSync('/run/astara-demo')).toBe(false);
});

test('--simulated: the same without a device', { timeout: 60_000 }, async () => {
  const before = namespaces();
  const { code, stdout } = await demo([process.execPath, program, '--check', '--simulated']);
  expect(stdout).toMatch(/router red +CONFIGURED/);
  expect(code).toBe(0);
  expect(namespaces()).toEqual(before);
});

test('without capabilities: says what is missing and what can be had, and makes nothing', async () => {
  const before = namespaces();
  const without = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
  const { code, stdout, stderr } = await demo([...without, process.execPath, program, '--check']);
  expect(stderr).toContain('CAP_NET_ADMIN');
  expect(stderr).toContain('./run demo --simulated');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(namespaces()).toEqual(before);
});

test('an argument that there is not', async () => {
  const { code, stderr } = await demo([process.execPath, program, '--chekc']);
  expect(stderr).toContain('--chekc');
  expect(code).toBe(2);
});

test('what a killed demo left is removed by the next; Ctrl-C leaves nothing', { timeout: 150_000 }, async () => {
  const before = namespaces();
  const first = start();
  await shown(first);
  expect(namespaces().length).toBeGreaterThan(before.length);
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = start();
  await shown(second);
  second.child.kill('SIGINT');
  const [code] = await once(second.child, 'exit');
  expect(code).toBe(0);
  expect(namespaces()).toEqual(before);
  expect(existsSync('/run/astara-demo')).toBe(false);
});

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function start(): Started {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  running = child;
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { child, output: () => text };
}

/** It stays, and says what to try. */
function shown({ child, output }: Started): Promise<unknown> {
  return waitFor(
    'the demo to have proved everything',
    () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${output()}`);
      return output().includes('until Ctrl-C');
    },
    { timeout: 60_000 },
  );
}
