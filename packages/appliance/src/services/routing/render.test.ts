import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import type { Subnet } from '@astara/model/appliance/network.ts';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { anyRoutedConfig } from '../../testing/arbitrary-routing.ts';
import { config, network, subnet } from '../../testing/configs.ts';
import { run } from '../../testing/world.ts';
import { known } from '../service.ts';
import { planRouting } from './plan.ts';
import { routingService } from './service.ts';
import type { RoutingState } from './state.ts';

const directory = mkdtempSync(join(tmpdir(), 'at-app-routing-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function compiled(given: ApplianceConfig, warnings: string[] = []): RoutingState {
  return routingService.compile(given, { runDirInside: directory, warn: (text) => warnings.push(text) });
}

/** Whether BIRD would read it. */
async function accepted(conf: string, floating: string) {
  mkdirSync(join(directory, 'routing'), { recursive: true });
  const path = join(directory, 'routing', 'bird.conf');
  writeFileSync(path, conf);
  writeFileSync(join(directory, 'routing', 'floating.conf'), floating);
  return run('bird', ['-p', '-c', path]);
}

const external = network('external', 'qg-x', ['198.51.100.2/24', '2001:db8:e::2/64']);

describe('what BIRD reads', () => {
  it('has no character outside a password that a renderer did not put there', () => {
    fc.assert(
      fc.property(anyRoutedConfig, (given) => {
        const state = compiled(given);
        const text = state?.files.conf.replace(/^ {2}password "[^"\n]*";$/gm, '') ?? '';
        expect(text).toMatch(/^[\w\s{}()[\]";,:.+*/%=!<~|-]*$/);
        expect(state?.files.floating ?? '').toMatch(/^(route [0-9a-f.:]+\/\d+ blackhole;\n)*$/);
      }),
      { numRuns: 300 },
    );
  });

  it('is accepted, whatever is configured, and so is every farewell', async () => {
    await fc.assert(
      fc.asyncProperty(anyRoutedConfig, anyRoutedConfig, async (first, second) => {
        const [before, after] = [compiled(first), compiled(second)];
        if (before === undefined) return;
        expect(await accepted(before.files.conf, before.files.floating)).toMatchObject({ status: 0, stderr: '' });
        for (const { change } of planRouting(known(before), after)) {
          if (change.kind !== 'farewell') continue;
          expect(await accepted(change.conf, before.files.floating)).toMatchObject({ status: 0, stderr: '' });
        }
      }),
      { numRuns: 80, endOnFailure: true },
    );
  });

  it('does not depend on the order of what has none', () => {
    fc.assert(
      fc.property(anyRoutedConfig, (given) => {
        const turned = { ...given, floating_ips: given.floating_ips.toReversed() };
        expect(compiled(turned)?.files).toEqual(compiled(given)?.files);
        expect(planRouting(known(compiled(given)), compiled(turned))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('never shows a password in a plan', () => {
    fc.assert(
      fc.property(anyRoutedConfig, anyRoutedConfig, (first, second) => {
        const steps = planRouting(known(compiled(first)), compiled(second));
        const secrets = [first, second].flatMap(
          ({ bgp }) => bgp?.neighbors.map(({ password }) => password ?? '') ?? [],
        );
        const said = steps.flatMap(({ what, detail }) => [what, ...(detail?.() ?? [])]).join('\n');
        for (const secret of secrets.filter((text) => text.length > 8)) expect(said).not.toContain(secret);
      }),
      { numRuns: 100 },
    );
  });
});

describe('routing', () => {
  it('is nothing while nobody needs it', () => {
    expect(compiled(config([external]))).toBeUndefined();
  });

  it('takes its router id from outside, or makes one that stays', () => {
    const bgp = { asn: 65_001, neighbors: [] };
    const id = (given: ApplianceConfig) => compiled(given)?.node.routerId;
    expect(id(config([external], { bgp }))).toBe('198.51.100.2');
    expect(id(config([external], { bgp: { ...bgp, router_id: '192.0.2.9' } }))).toBe('192.0.2.9');
    const v6 = network('external', 'qg-x', ['2001:db8:e::2/64']);
    expect(id(config([v6], { bgp }))).toMatch(/^10\./);
    expect(id(config([v6], { bgp }))).toBe(id(config([v6], { bgp })));
    expect(id(config([v6], { bgp }))).not.toBe(id(config([v6], { bgp, hostname: 'r2' })));
  });

  it('announces what is not translated, and what stands for something', () => {
    const internal = network('internal', 'qr-a', ['10.0.0.1/24'], {
      subnets: [
        subnet('10.0.0.0/24', '10.0.0.1'),
        subnet('10.0.1.0/24', null, { nat: false }),
        subnet('fd00:a::/64', 'fd00:a::1'),
      ],
    });
    const more = {
      bgp: { asn: 65_001, neighbors: [] },
      floating_ips: [{ floating_ip: '203.0.113.5', fixed_ip: '10.0.0.5' }],
      snat_addresses: ['203.0.113.4'],
    };
    const node = compiled(config([external, internal], more))?.node.bgp;
    expect(node?.floating).toEqual(['203.0.113.4/32', '203.0.113.5/32']);
    expect(node?.tenant).toEqual(['10.0.1.0/24', 'fd00:a::/64']);
    expect(compiled(config([external, internal], { ...more, snat: false }))?.node.bgp?.tenant).toContain('10.0.0.0/24');
  });

  it('says by which means hosts get addresses and the rest', () => {
    const flags = (mode: NonNullable<Subnet['ipv6_ra_mode']> | null) => {
      const subnets = [subnet('fd00:a::/64', 'fd00:a::1', { ipv6_ra_mode: mode })];
      const conf = compiled(config([network('internal', 'qr-a', ['fd00:a::1/64'], { subnets })]))?.files.conf ?? '';
      return /managed (\w+);\n *other config (\w+);[^}]*autonomous (\w+);/.exec(conf)?.slice(1);
    };
    expect(flags('slaac')).toEqual(['no', 'no', 'yes']);
    expect(flags('dhcpv6-stateless')).toEqual(['no', 'yes', 'yes']);
    expect(flags('dhcpv6-stateful')).toEqual(['yes', 'yes', 'no']);
    expect(flags(null)).toBeUndefined();
  });

  it('can be nobody’s default router', () => {
    const internal = network('internal', 'qr-a', ['fd00:a::1/64'], {
      subnets: [subnet('fd00:a::/64', 'fd00:a::1', { ipv6_ra_mode: 'slaac' })],
      router_advertisement: { router_lifetime: 0, valid_lifetime: 60 },
    });
    const conf = compiled(config([internal]))?.files.conf;
    expect(conf).toContain('default lifetime 0;');
    expect(conf).toContain('valid lifetime 60; preferred lifetime 60;');
  });

  it('warns of a neighbour that cannot be reached', () => {
    const warnings: string[] = [];
    compiled(config([external], { bgp: { asn: 1, neighbors: [{ address: '192.0.2.1', asn: 2 }] } }), warnings);
    expect(warnings).toEqual(['/bgp/neighbors/0: 192.0.2.1 is on no network of this appliance']);
  });
});
