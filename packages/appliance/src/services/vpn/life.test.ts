import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { connection, Site } from '../../testing/vpn-sites.ts';

let a: Site;
let b: Site;

beforeAll(async () => {
  [a, b] = [await Site.create(1), await Site.create(2)];
  await Site.join(a, b);
});

afterAll(async () => {
  await a?.destroy();
  await b?.destroy();
});

const dpd = { action: 'restart', interval: 1, timeout: 5 } as const;
const answers = { initiator: 'response-only', dpd } as const;
const four = () => connection(a, b, { dpd });
const six = () => connection(a, b, { dpd }, 6);

async function isUp(site: Site, id: string, timeout = 8_000): Promise<boolean> {
  return until(async () => (await site.status(id))?.status === 'up', timeout);
}

/** Which keys a tunnel has: others when it was made anew. */
async function keys(site: Site, id: string): Promise<string | undefined> {
  const { stdout } = await site.swanctl('--list-sas', '--raw');
  const one = stdout.split('list-sa event').find((text) => text.includes(id));
  return /spi-in=(\w+)/.exec(one ?? '')?.[1];
}

function told(site: Site, id: string, up: boolean): boolean {
  return site.events.some(({ data }) => data.connection === id && data.up === up);
}

describe('charon', () => {
  it('runs while there is a connection, and only then', async () => {
    expect(await a.pid()).toBeUndefined();
    await b.apply([connection(b, a, answers), connection(b, a, answers, 6)]);
    await a.apply([four(), six()]);
    expect([await isUp(a, 'c0-4'), await isUp(a, 'c0-6')]).toEqual([true, true]);
    const directory = join(a.world.home.runDir, 'charon');
    expect(existsSync(directory)).toBe(true);
    await a.apply([{ ...four(), admin_state_up: false }]);
    expect(await a.pid()).toBeUndefined();
    expect(existsSync(directory)).toBe(false);
    await a.apply([four(), six()]);
    expect([await isUp(a, 'c0-4'), await isUp(a, 'c0-6')]).toEqual([true, true]);
  });

  it('keeps every tunnel whose connection stays as it is, with its bytes flowing', async () => {
    const [pid, before] = [await a.pid(), await keys(a, 'c0-4')];
    const ping = await a.world.background('h', ['ping', '-n', '-q', '-i', '0.01', '-c', '150', b.host(4)]);
    await a.apply([four(), connection(a, b, { dpd, psk: 'not this' }, 6)]);
    await a.apply([four(), { ...six(), id: 'c1' }]);
    await a.apply([four()]);
    await a.apply([four(), six()]);
    expect(await isUp(a, 'c0-6')).toBe(true);
    await ping.exited;
    expect(ping.output()).toContain(' 150 received, 0% packet loss');
    expect([await a.pid(), await keys(a, 'c0-4')]).toEqual([pid, before]);
  });

  it('makes a tunnel anew when its secret is another one', async () => {
    const before = await keys(a, 'c0-6');
    await b.apply([connection(b, a, answers), connection(b, a, { ...answers, psk: 'new' }, 6)]);
    await a.apply([four(), connection(a, b, { dpd, psk: 'new' }, 6)]);
    expect(await isUp(a, 'c0-6')).toBe(true);
    expect(await keys(a, 'c0-6')).not.toBe(before);
    await b.apply([connection(b, a, answers), connection(b, a, answers, 6)]);
    await a.apply([four(), six()]);
    expect(await isUp(a, 'c0-6')).toBe(true);
  });

  it('reads other settings without losing a tunnel', async () => {
    const before = await keys(a, 'c0-4');
    await a.apply([four(), connection(a, b, { dpd: { ...dpd, timeout: 20 } }, 6)]);
    await a.apply([four(), six()]);
    expect([await isUp(a, 'c0-4'), await isUp(a, 'c0-6')]).toEqual([true, true]);
    expect(await keys(a, 'c0-4')).toBe(before);
  });

  it('makes keys anew with a Diffie-Hellman exchange of their own, and loses nothing', async () => {
    expect(await isUp(a, 'c0-4')).toBe(true);
    const before = await keys(a, 'c0-4');
    a.events.length = 0;
    const ping = await a.world.background('h', ['ping', '-n', '-q', '-i', '0.02', '-c', '400', b.host(4)]);
    expect((await a.swanctl('--rekey', '--child', 'net')).status).toBe(0);
    // The old ones are kept for five seconds, for packets that are late.
    expect(await until(async () => ![before, undefined].includes(await keys(a, 'c0-4')), 8_000)).toBe(true);
    const name = (await a.swanctl('--list-conns')).stdout.match(/^c0-4_\w+/m)?.[0] ?? '';
    expect((await a.swanctl('--rekey', '--ike', name)).status).toBe(0);
    await ping.exited;
    expect(ping.output()).toContain(' 400 received, 0% packet loss');
    expect((await a.swanctl('--list-sas', '--raw')).stdout).toMatch(
      /encr-alg=AES_GCM_16 encr-keysize=128 dh-group=ECP_256/,
    );
    expect(await isUp(a, 'c0-4')).toBe(true);
    expect(told(a, 'c0-4', false)).toBe(false);
  });

  it('is taken over by the next agent with its tunnels', async () => {
    const before = [await a.pid(), await keys(a, 'c0-4'), await keys(a, 'c0-6')];
    const ping = await a.world.background('h', ['ping', '-n', '-q', '-i', '0.01', '-c', '100', b.host(4)]);
    await a.adopt();
    await a.apply([four(), six()]);
    await ping.exited;
    expect(ping.output()).toContain(' 100 received, 0% packet loss');
    expect([await a.pid(), await keys(a, 'c0-4'), await keys(a, 'c0-6')]).toEqual(before);
    expect((await a.status('c0-4'))?.status).toBe('up');
  });

  it('is found to differ when somebody meddles, and is put right', async () => {
    const names = (await a.swanctl('--list-conns')).stdout.match(/^c0-6_\w+/m) ?? [];
    const observed = async () => {
      const found = await a.runner.observe(a.state, a.state);
      return found.unknown ? undefined : [...(found.value?.connections.values() ?? [])].map(({ id }) => id).sort();
    };
    expect(await observed()).toEqual(['c0-4', 'c0-6']);
    // swanctl loads what a file says and unloads the rest.
    await a.swanctl('--load-conns', '--file', '/dev/null');
    expect(await observed()).toEqual([]);
    expect((await a.runner.check(a.state)).map(({ ok }) => ok)).toEqual([false, false]);
    await a.apply([four(), six()]);
    expect(await observed()).toEqual(['c0-4', 'c0-6']);
    expect([await isUp(a, 'c0-4'), await isUp(a, 'c0-6')]).toEqual([true, true]);
    expect((await a.runner.check(a.state)).map(({ ok }) => ok)).toEqual([true, true]);
    expect((await a.swanctl('--list-conns')).stdout).toContain(names[0]);
  });

  it('is back within a second after kill -9, with every connection, and calls again', async () => {
    a.events.length = 0;
    const pid = await a.signal('SIGKILL');
    const start = performance.now();
    const loaded = async () => (await a.runner.check(a.state)).every(({ ok }) => ok);
    expect(await until(async () => (await loaded()) && ![pid, undefined].includes(await a.pid()), 1_500)).toBe(true);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect([await isUp(a, 'c0-4'), await isUp(a, 'c0-6')]).toEqual([true, true]);
    expect(await until(() => a.pings(b.host(4)), 3_000)).toBe(true);
    expect(await until(() => told(a, 'c0-4', false) && told(a, 'c0-4', true), 1_000)).toBe(true);
  });
});

describe('a dead peer', () => {
  it('is noticed; the tunnel ends, and is made again when the peer lives', async () => {
    expect(await isUp(a, 'c0-4')).toBe(true);
    a.events.length = 0;
    await b.signal('SIGSTOP');
    try {
      expect(await until(() => told(a, 'c0-4', false), 10_000)).toBe(true);
      expect(await until(async () => (await a.status('c0-4'))?.status === 'connecting', 2_000)).toBe(true);
      expect((await a.status('c0-4'))?.error).toBe('the peer does not answer');
    } finally {
      await b.signal('SIGCONT');
    }
    expect(await isUp(a, 'c0-4', 10_000)).toBe(true);
    expect(await until(() => told(a, 'c0-4', true), 1_000)).toBe(true);
    // Both were made again, and neither takes the other's traffic.
    expect(await isUp(a, 'c0-6', 10_000)).toBe(true);
    expect(await until(() => a.pings(b.host(4)), 3_000)).toBe(true);
    expect(await until(() => a.pings(b.host(6)), 3_000)).toBe(true);
  });
});
