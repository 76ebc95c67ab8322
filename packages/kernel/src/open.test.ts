import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { findProgram, PROGRAMS } from './iproute2/programs.ts';
import { checkCapabilities, openKernel } from './open.ts';

afterEach(() => {
  vi.doUnmock('koffi');
  vi.resetModules();
});

test('the choice decides', async () => {
  expect((await openKernel('auto')).name).toBe('netlink');
  expect((await openKernel('netlink')).name).toBe('netlink');
  expect((await openKernel('iproute2')).name).toBe('iproute2');
});

test('without koffi: auto falls back and says why, netlink rejects', async () => {
  vi.doMock('koffi', () => {
    throw new Error('Cannot find package koffi');
  });
  vi.resetModules();
  const fresh = await import('./open.ts');
  const reasons: unknown[] = [];
  const kernel = await fresh.openKernel('auto', (reason) => reasons.push(reason));
  expect(kernel.name).toBe('iproute2');
  expect(reasons).toMatchObject([
    { code: 'KERNEL_LIBRARY_MISSING', remedy: expect.stringContaining('npm install koffi') },
  ]);
  await expect(fresh.openKernel('netlink')).rejects.toMatchObject({ code: 'KERNEL_LIBRARY_MISSING' });
});

test('missing capabilities are named', () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const without = (mask: string) => status.replace(/^CapEff:.*$/m, `CapEff:\t${mask}`);
  expect(() => checkCapabilities(status)).not.toThrow();
  expect(() => checkCapabilities(without('0000000000000000'))).toThrow(
    'CAP_NET_ADMIN and CAP_NET_RAW and CAP_SYS_ADMIN',
  );
  expect(() => checkCapabilities(without('0000000000203000'))).not.toThrow();
  expect(() => checkCapabilities(without('0000000000003000'))).toThrow('lacks CAP_SYS_ADMIN');
  expect(() => checkCapabilities(without('0000000000003000'), 'own')).not.toThrow();
  try {
    checkCapabilities(without('0000000000000000'));
  } catch (error) {
    expect(error).toMatchObject({ code: 'KERNEL_NOT_PERMITTED', errno: 'EPERM', retry: 'operator' });
  }
});

test('a missing program is named with its package', () => {
  for (const program of PROGRAMS) expect(findProgram(program)).toMatch(/^\//);
  expect(() => findProgram('conntrack', '/nonexistent')).toThrow(
    expect.objectContaining({ code: 'KERNEL_PROGRAM_MISSING', remedy: 'Install it: apt-get install conntrack' }),
  );
});
