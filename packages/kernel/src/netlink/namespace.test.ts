import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { loadLibraries } from './libc.ts';
import { Namespaces } from './namespace.ts';

const asked = { operation: 'test', object: 'namespace' };

test('comes home also when the work throws', async () => {
  const { libc } = await loadLibraries();
  const namespaces = new Namespaces(libc);
  const home = readlinkSync('/proc/thread-self/ns/net');
  const own = openSync('/proc/thread-self/ns/net', 'r');
  const CLONE_NEWNET = 0x40000000;
  expect(libc.unshare(CLONE_NEWNET)).toBe(0);
  const away = openSync('/proc/thread-self/ns/net', 'r');
  expect(libc.setns(own, CLONE_NEWNET)).toBe(0);
  const work = () => {
    expect(readlinkSync('/proc/thread-self/ns/net')).not.toBe(home);
    throw new Error('in the middle');
  };
  expect(() => namespaces.inside(away, asked, work)).toThrow('in the middle');
  expect(readlinkSync('/proc/thread-self/ns/net')).toBe(home);
  closeSync(away);
  closeSync(own);
  expect(() => namespaces.inside(away, asked, () => 1)).toThrow(expect.objectContaining({ errno: 'EBADF' }));
});

test('a process that cannot come home aborts', () => {
  const module = fileURLToPath(new URL('./namespace.ts', import.meta.url));
  const script = `
    import { Namespaces } from ${JSON.stringify(module)};
    let calls = 0;
    const namespaces = new Namespaces({ setns: () => (calls++ === 0 ? 0 : -1), errno: () => 1 });
    namespaces.inside(0, { operation: 'test', object: 'test' }, () => 1);
    console.log('went on');`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
  expect(ended.signal).toBe('SIGABRT');
  expect(ended.stdout).toBe('');
});
