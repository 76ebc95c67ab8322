import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { VpnConnection } from '@astara/model/appliance/vpn.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account } from '../../privileges.ts';
import { until } from '../../processes.ts';
import { Authority, ED25519, RSA } from '../../testing/certificates.ts';
import { connection, Site } from '../../testing/vpn-sites.ts';

const PSK = 'a secret of "two" \\ends';
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

type Change = Partial<VpnConnection>;

/** Both sides of a connection, made by `a`. */
async function connect(ours: Change, theirs: Change, version: 4 | 6 = 4): Promise<void> {
  await b.apply([connection(b, a, { initiator: 'response-only', ...theirs }, version)]);
  await a.apply([connection(a, b, ours, version)]);
}

async function isUp(site: Site, id: string, timeout = 8_000): Promise<boolean> {
  return until(async () => (await site.status(id))?.status === 'up', timeout);
}

async function says(site: Site, id: string, error: string): Promise<boolean> {
  return until(async () => (await site.status(id))?.error === error, 8_000);
}

/** Whether TCP gets through, and who calls. */
async function talks(version: 4 | 6): Promise<string> {
  const family = version === 4 ? 'TCP4' : 'TCP6';
  const server = await b.world.background('h', [
    'socat',
    `${family}-LISTEN:7000,reuseaddr`,
    'SYSTEM:echo $SOCAT_PEERADDR',
  ]);
  await until(async () => (await b.world.exec('h', ['ss', '-Hltn', 'sport = :7000'])).stdout !== '', 5_000);
  const target = `${family}:${version === 4 ? b.host(4) : `[${b.host(6)}]`}:7000,connect-timeout=3`;
  const { stdout } = await a.world.exec('h', ['socat', '-t3', '-T3', '-', target]);
  server.kill();
  return stdout.trim();
}

/** What goes over the outer segment while `work` is done. */
async function overheard(work: () => Promise<unknown>): Promise<string> {
  const argv = ['tcpdump', '-nn', '-l', '--immediate-mode', '-i', 'ext', 'ip or ip6'];
  const capture = await a.world.background('sw', argv);
  await until(() => capture.output().includes('listening on'), 5_000);
  await work();
  await until(() => capture.output().includes('UDP-encap: ESP'), 2_000);
  capture.kill();
  await capture.exited;
  return capture.output();
}

const v1: VpnConnection['ike_policy'] = {
  ike_version: 'v1',
  auth_algorithm: 'sha1',
  encryption_algorithm: 'aes-256',
  pfs: 'group14',
};

describe('a tunnel with a pre-shared key', () => {
  const kinds: [string, 4 | 6, Change][] = [
    ['IKEv2 over IPv4', 4, {}],
    ['IKEv2 over IPv6', 6, {}],
    ['IKEv1 over IPv4', 4, { ike_policy: v1 }],
    ['IKEv1 over IPv6', 6, { ike_policy: v1 }],
    ['IKEv1 in aggressive mode', 4, { ike_policy: { ...v1, aggressive: true } }],
  ];
  it.each(kinds)('carries traffic both ways: %s', async (_what, version, change) => {
    await connect(change, change, version);
    const id = `c0-${version}`;
    expect([await isUp(a, id), await isUp(b, id)]).toEqual([true, true]);
    const text = await overheard(async () => {
      expect(await until(() => a.pings(b.host(version)), 3_000)).toBe(true);
      expect(await b.pings(a.host(version))).toBe(true);
      expect(await talks(version)).toContain(version === 4 ? a.host(4) : 'fd01');
    });
    expect(text).toContain('UDP-encap: ESP');
    expect(text).not.toContain(a.host(version));
    const status = await a.status(id);
    expect(status?.ike?.version).toBe(change.ike_policy === v1 ? '1' : status?.ike?.version);
    expect(status?.tunnels[0]).toMatchObject({ local_cidrs: [a.net(version)], peer_cidrs: [b.net(version)] });
    expect(status?.tunnels[0]?.bytes_in).toBeGreaterThan(200);
    expect(status?.tunnels[0]?.bytes_out).toBeGreaterThan(200);
    expect(Math.abs(Date.now() - Date.parse(status?.tunnels[0]?.since ?? ''))).toBeLessThan(20_000);
  });

  it('carries both versions in one, whichever its ends have', async () => {
    const both = (site: Site) => [site.net(4), site.net(6)];
    await connect({ local_cidrs: both(a), peer_cidrs: both(b) }, { local_cidrs: both(b), peer_cidrs: both(a) }, 6);
    expect(await isUp(a, 'c0-6')).toBe(true);
    expect(await until(() => a.pings(b.host(4)), 3_000)).toBe(true);
    expect(await until(() => a.pings(b.host(6)), 3_000)).toBe(true);
  });

  it('is a pair of subnets each with IKEv1', async () => {
    const both = (site: Site) => [site.net(4), site.net(6)];
    const change = { ike_policy: v1 };
    await connect(
      { ...change, local_cidrs: both(a), peer_cidrs: both(b) },
      { ...change, local_cidrs: both(b), peer_cidrs: both(a) },
    );
    expect(await isUp(a, 'c0-4')).toBe(true);
    expect((await a.status('c0-4'))?.tunnels.map(({ name }) => name).sort()).toEqual(['net-0-0', 'net-1-1']);
    expect(await until(() => a.pings(b.host(6)), 3_000)).toBe(true);
  });

  it('carries what is for the peer itself, without its own packets going in circles', async () => {
    const theirs = [b.net(4), `${b.outer(4)}/32`];
    await connect({ peer_cidrs: theirs }, { local_cidrs: theirs });
    expect(await isUp(a, 'c0-4')).toBe(true);
    const text = await overheard(async () => {
      expect(await until(() => a.pings(b.host(4)), 3_000)).toBe(true);
      expect(await a.pings(b.outer(4))).toBe(true);
    });
    expect(text).not.toContain('ICMP');
  });

  it('says so when the keys differ, and comes up when they do not any more', async () => {
    await connect({}, { psk: 'another one' });
    expect(await says(a, 'c0-4', 'the peer refuses our authentication: key, certificate or identity')).toBe(true);
    expect(await says(b, 'c0-4', 'the pre-shared keys differ')).toBe(true);
    expect(await a.status('c0-4')).toMatchObject({ status: 'down', tunnels: [] });
    expect(a.events.at(-1)?.data).toEqual({ connection: 'c0-4', error: expect.stringContaining('authentication') });
    expect(await a.pings(b.host(4))).toBe(false);
    // Only the peer mends it: nobody tells us.
    await b.apply([connection(b, a, { initiator: 'response-only' })]);
    expect(await isUp(a, 'c0-4', 12_000)).toBe(true);
    expect(await a.status('c0-4')).not.toHaveProperty('error');
  });

  it('says so when the ends disagree about algorithms', async () => {
    await connect({}, { ike_policy: { ...connection(a, b).ike_policy, encryption_algorithm: 'aes-256' } });
    expect(await says(a, 'c0-4', 'the ends have no algorithms in common')).toBe(true);
  });

  it('says so when the ends disagree about subnets', async () => {
    await connect({ id: 'c1' }, { local_cidrs: ['10.77.0.0/24'] });
    expect(await says(a, 'c1', 'the ends disagree about subnets')).toBe(true);
  });
});

describe('a tunnel with certificates', () => {
  it.each([
    ['ECDSA', undefined],
    ['RSA', RSA],
    ['Ed25519', ED25519],
  ])('comes up with %s, and only with those of the named authority', async (_what, algorithm) => {
    const [ours, other] = [await Authority.create('ours', algorithm), await Authority.create('other', algorithm)];
    try {
      const side = async (signer: Authority, name: string, peer: string): Promise<Change> => ({
        psk: undefined as never,
        local_id: `${name}.test`,
        peer_id: `${peer}.test`,
        certificate: { ...(await signer.issue(`${name}.test`)), ca_certificates: [ours.certificate] },
      });
      const [left, right] = [await side(ours, 'a', 'b'), await side(ours, 'b', 'a')];
      await connect(left, right);
      expect(await isUp(a, 'c0-4')).toBe(true);
      expect(await until(() => a.pings(b.host(4)), 3_000)).toBe(true);

      // Somebody whom another authority has signed, which is known here for another connection.
      const elsewhere = connection(a, b, { ...left, id: 'c1', peer_address: '198.51.100.99', peer_id: 'x' });
      const known = { ...left.certificate, ca_certificates: [other.certificate] } as VpnConnection['certificate'];
      await b.apply([connection(b, a, { initiator: 'response-only', ...(await side(other, 'b', 'a')) })]);
      await a.apply([
        connection(a, b, { ...left, id: 'c2' }),
        { ...elsewhere, local_cidrs: ['10.1.9.0/24'], certificate: known as never },
      ]);
      expect(await until(async () => (await a.status('c2'))?.error !== undefined, 8_000)).toBe(true);
      expect((await a.status('c2'))?.status).toBe('down');
    } finally {
      await ours.destroy();
      await other.destroy();
    }
  });
});

describe('secrets', () => {
  it('are in no file, no argument, no log and no answer', async () => {
    await connect({}, {});
    expect(await isUp(a, 'c0-4')).toBe(true);
    const directory = join(a.world.home.runDir, 'charon');
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name));
    const texts = files.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, 'utf8'));
    expect(texts.length).toBeGreaterThan(2);
    const argv = (await a.world.home.processes()).map((process) => process.argv.join(' '));
    const shown = [
      ...texts,
      ...argv,
      JSON.stringify([await a.status('c0-4'), a.events, a.state]),
      (await a.swanctl('--list-conns')).stdout,
    ].join('\n');
    expect(shown).toContain('c0-4');
    expect(shown).not.toContain(PSK);
    expect(shown).not.toContain(JSON.stringify(PSK).slice(1, -1));
  });

  it('are of a charon that is nobody, with what it needs and no more', async () => {
    const status = readFileSync(`/proc/${await a.pid()}/status`, 'utf8');
    const { uid } = account('nobody');
    expect(status).toMatch(new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'));
    expect(status).toMatch(/^CapEff:\t0000000000001000$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });
});
