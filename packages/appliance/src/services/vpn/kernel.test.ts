import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Home } from '../../home.ts';
import { until } from '../../processes.ts';
import { connection, Site } from '../../testing/vpn-sites.ts';
import { findIpsec } from './kernel.ts';

/**
 * The kernel of a test machine may have no ESP. Here charon is told that it has: up to the moment when keys are given to the kernel
 * everything is real.
 */
let a: Site;
let b: Site;
const asked: string[] = [];

function believing(home: Home): Home {
  return {
    netns: home.netns,
    runDir: home.runDir,
    runDirInside: home.runDirInside,
    spawnDaemon: (argv, through) => home.spawnDaemon(argv, through),
    processes: () => home.processes(),
    run: async (argv, options) => {
      asked.push(argv.slice(0, 4).join(' '));
      return argv[1] === 'xfrm' && argv[2] === 'state' && argv[3] !== 'flush' ? '' : home.run(argv, options);
    },
  };
}

beforeAll(async () => {
  [a, b] = [await Site.create(1, believing), await Site.create(2, believing)];
  await Site.join(a, b);
});

afterAll(async () => {
  await a?.destroy();
  await b?.destroy();
});

async function policies(site: Site): Promise<string> {
  return (await site.world.exec('r', ['ip', 'xfrm', 'policy'])).stdout;
}

describe('IPsec of the kernel', () => {
  it('is found by trying, and leaves nothing behind', async () => {
    expect(['kernel', 'userspace']).toContain(await findIpsec(a.world.home));
    expect((await a.world.exec('r', ['ip', 'xfrm', 'state'])).stdout).toBe('');
  });

  it('has policies that keep traffic in before there is a tunnel, and none that somebody left', async () => {
    // What a charon that was killed has left.
    await a.world.home.run(
      'ip xfrm policy add src 10.9.0.0/24 dst 10.8.0.0/24 dir out tmpl proto esp mode tunnel'.split(' '),
    );
    await b.apply([connection(b, a, { initiator: 'response-only' })]);
    await a.apply([connection(a, b)]);
    expect(asked).toContain('ip xfrm policy flush');
    const found = await policies(a);
    expect(found).toMatch(/src 10\.1\.0\.0\/24 dst 10\.2\.0\.0\/24 \n\tdir out/);
    expect(found).not.toContain('10.9.0.0');
    const { stdout } = await a.world.exec('r', ['ip', '-br', 'link']);
    expect(stdout).not.toContain('ipsec0');
    expect(await until(async () => (await a.status('c0-4'))?.ike?.state === 'ESTABLISHED', 5_000)).toBe(true);
    await a.apply([]);
    expect(await policies(a)).toBe('');
  });

  it('says so when keys cannot be given to it', async ({ skip }) => {
    if ((await findIpsec(a.world.home)) === 'kernel') skip();
    await a.apply([connection(a, b)]);
    const error = 'what was agreed upon cannot be had on this machine';
    const told = async () => [(await a.status('c0-4'))?.error, (await b.status('c0-4'))?.error];
    expect(await until(async () => (await told()).includes(error), 5_000)).toBe(true);
    expect((await a.status('c0-4'))?.status).not.toBe('up');
  });
});

describe('a machine without charon', () => {
  it('says which package is missing', async () => {
    const nowhere = ['env', 'PATH=/nonexistent'];
    const site = await Site.create(3, (home) => ({
      ...believing(home),
      spawnDaemon: (argv, through) => home.spawnDaemon([...nowhere, ...argv], through),
      run: (argv, options) => home.run([...nowhere, ...argv], options),
    }));
    try {
      await expect(site.apply([connection(site, b)])).rejects.toMatchObject({ code: 'MACHINE_PROGRAM_MISSING' });
    } finally {
      await site.destroy();
    }
  });
});
