import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { VpnCertificate } from '@astara/model/appliance/vpn.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyVpn } from '../../testing/arbitrary-vpn.ts';
import { Authority, ED25519, RSA } from '../../testing/certificates.ts';
import { config } from '../../testing/configs.ts';
import { connection, Site } from '../../testing/vpn-sites.ts';
import { desiredVpn, retransmission } from './desired.ts';
import { renderCharon, renderConnection, renderPsk, renderTimers } from './render.ts';
import { decodeMessage, encodeMessage } from './vici-message.ts';

const paths = { socket: '/run/x/own/vici', log: '/run/x/own/start.log', timers: '/run/x/timers.conf' };
const certificates: VpnCertificate[] = [];
let site: Site;
let peer: Site;

beforeAll(async () => {
  [site, peer] = [await Site.create(3), await Site.create(4)];
  for (const algorithm of [undefined, RSA, ED25519]) {
    const authority = await Authority.create('any', algorithm);
    certificates.push({ ...(await authority.issue('any.test')), ca_certificates: [authority.certificate] });
    await authority.destroy();
  }
});

afterAll(async () => {
  await site?.destroy();
  await peer?.destroy();
});

function compiled(vpn: ReturnType<typeof anyVpn> extends fc.Arbitrary<infer T> ? T : never) {
  const warnings: string[] = [];
  return { node: desiredVpn(config([], { vpn }), (text) => warnings.push(text)), warnings };
}

describe('what charon is told', () => {
  it('can be said for everything that is valid, holds no secret where all may read, and changes with what it is made of', () => {
    fc.assert(
      fc.property(anyVpn(certificates), (vpn) => {
        expect(validateConfig(config([], { vpn }))).not.toHaveProperty('errors');
        const { node } = compiled(vpn);
        if (node === undefined) return;
        const lines = `${renderCharon(node.charon, 'userspace', paths)}${renderTimers(node.charon)}`;
        expect(lines).toMatch(/^[\w\s{}"=:/.!-]*$/);
        const tunnels = [...node.connections.values()].flatMap((entry) => entry.tunnels);
        const reqids = tunnels.flatMap(({ reqid }) => (reqid === undefined ? [] : [reqid]));
        expect(new Set(reqids).size).toBe(reqids.length);
        for (const entry of node.connections.values()) {
          for (const ipsec of ['kernel', 'userspace'] as const) {
            const message = encodeMessage(renderConnection(entry, ipsec));
            expect(Object.keys(decodeMessage(message))).toEqual([entry.name]);
          }
          const psk = renderPsk(entry);
          const given = vpn.connections.find(({ id }) => id.toLowerCase() === entry.id);
          if (psk === undefined) continue;
          expect(decodeMessage(encodeMessage(psk)).data).toBe(given?.psk);
          if ((given?.psk?.length ?? 0) > 12)
            expect(JSON.stringify(node.connections.get(entry.name))).not.toContain(given?.psk);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is accepted by charon', { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyVpn(certificates), async (vpn) => {
        const { node } = compiled(vpn);
        const state = await site.told(vpn);
        const names = (await site.swanctl('--list-conns')).stdout.match(/^\S+(?=: IKEv)/gm) ?? [];
        expect(names.sort()).toEqual([...(node?.connections.keys() ?? [])].sort());
        expect((await site.runner.check(state)).every(({ ok }) => ok)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is a key of every printable character', async () => {
    const psk = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('');
    await Site.join(site, peer);
    await peer.apply([connection(peer, site, { psk, initiator: 'response-only' })]);
    await site.apply([connection(site, peer, { psk })]);
    await expect.poll(async () => (await site.status('c0-4'))?.status, { timeout: 8_000 }).toBe('up');
  });

  it('is a thousand connections, and one more without touching them', { timeout: 30_000 }, async () => {
    const many = Array.from({ length: 1024 }, (_, index) =>
      connection(site, peer, {
        id: `c-${index}`,
        initiator: 'response-only',
        peer_address: `198.18.${index >> 8}.${index & 255}`,
        peer_id: `p${index}`,
        peer_cidrs: [`10.${100 + (index >> 8)}.${index & 255}.0/24`],
      }),
    );
    const start = performance.now();
    await site.apply(many.slice(0, 1023));
    const all = performance.now();
    await site.apply(many);
    const one = performance.now();
    expect((await site.runner.check(site.state)).filter(({ ok }) => ok).length).toBe(1024);
    expect(one - all).toBeLessThan(all - start);
  });
});

describe('retransmission', () => {
  it('ends when it is said to, and begins within a second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 86_400 }), (timeout) => {
        const { first, base, tries } = retransmission(timeout);
        let all = 0;
        for (let attempt = 0; attempt <= tries; attempt += 1) all += first * base ** attempt;
        expect(Math.abs(all - timeout) / timeout).toBeLessThan(0.01);
        expect(first).toBeGreaterThan(0.49);
        expect(first).toBeLessThanOrEqual(1);
      }),
    );
  });
});
