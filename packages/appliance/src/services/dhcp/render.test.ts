import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { anyConfig } from '../../testing/arbitrary.ts';
import { withDns } from '../../testing/arbitrary-dhcp.ts';
import { allocation, config as configuration, network, subnet } from '../../testing/configs.ts';
import { run } from '../../testing/world.ts';
import { known, unknown } from '../service.ts';
import { dhcpService } from './service.ts';
import { type DhcpState, difference, planNetworks } from './state.ts';

const directory = mkdtempSync(join(tmpdir(), 'at-app-dhcp-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const config: fc.Arbitrary<ApplianceConfig> = anyConfig
  .chain((given) => {
    const networks = given.networks.map((network) => withDns(network, Number(network.network_id.slice(2))));
    return fc.tuple(...networks).map((networks) => ({ ...given, networks }));
  })
  .filter((given) => validateConfig(given).ok);

const address = String.raw`(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])`;
const name = '[a-z0-9][a-z0-9.-]*';
const lines = {
  host: new RegExp(`^([0-9a-f]{2}:){5}[0-9a-f]{2}(,${address}){1,2},${name}$`),
  name: new RegExp(`^[0-9a-f:.]+( ${name}){1,4}$`),
  // One tag at most, one option, and then either characters that mean nothing or one quoted text.
  option:
    /^(tag:[sp][0-9a-f]{16},)?(option:|option6:)?[a-z0-9-]+(,([A-Za-z0-9.,:;/@%+=~?&[\]_-]*|"([^"\\]|\\["\\])*"))?$/,
  conf: /^[a-z0-9-]+(=[A-Za-z0-9,.:/_-]+)?$/,
};

const compile = (given: ApplianceConfig): DhcpState => {
  return dhcpService.compile(given, { runDirInside: directory, warn: () => undefined });
};
const split = (text: string) => text.split('\n').slice(0, -1);

describe('what is rendered', () => {
  it('has no line that a text of a tenant could have made', () => {
    fc.assert(
      fc.property(config, (given) => {
        for (const { dns, dhcp } of compile(given).values()) {
          for (const line of [...split(dns.conf), ...split(dhcp?.conf ?? '')]) expect(line).toMatch(lines.conf);
          for (const line of dns.lines) expect(line).toMatch(lines.name);
          for (const line of dhcp?.lines ?? []) expect(line).toMatch(lines.host);
          for (const line of split(dhcp?.options ?? '')) expect(line).toMatch(lines.option);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is accepted by dnsmasq: configuration, hosts and our own options', async () => {
    const ours = (line: string) => line.startsWith('tag:s') || !line.startsWith('tag:');
    await fc.assert(
      fc.asyncProperty(config, async (given) => {
        for (const { ifname, dns, dhcp } of compile(given).values()) {
          mkdirSync(join(directory, 'dnsmasq', ifname, 'dns', 'since'), { recursive: true });
          // dnsmasq looks into the other files only when it serves: as part of the configuration they are checked too.
          const inline = [
            ...(dhcp?.lines ?? []).map((line) => `dhcp-host=${line}`),
            ...split(dhcp?.options ?? '')
              .filter(ours)
              .map((line) => `dhcp-option=${line}`),
          ];
          const conf = dhcp === undefined ? '' : [...split(dhcp.conf), ...inline].join('\n');
          for (const text of [dns.conf, conf]) {
            const path = join(directory, 'test.conf');
            writeFileSync(path, `${text}\n`);
            const { status, stderr } = await run('dnsmasq', ['--test', `--conf-file=${path}`]);
            expect({ status, stderr, text }).toMatchObject({ status: 0, stderr: 'dnsmasq: syntax check OK.\n' });
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the plan', () => {
  it('leads from any state to any other, network by network', () => {
    fc.assert(
      fc.property(config, config, (one, other) => {
        const [before, after] = [compile(one), compile(other)];
        const reached = new Map(before);
        for (const { change } of planNetworks(known(before), after)) {
          if (change.to === undefined) reached.delete(change.ifname);
          else reached.set(change.ifname, change.to);
        }
        const digests = (state: DhcpState) => new Map([...state].map(([ifname, { digest }]) => [ifname, digest]));
        expect(digests(reached)).toEqual(digests(after));
        expect(planNetworks(known(after), compile(other))).toEqual([]);
        expect(planNetworks(unknown, after)).toHaveLength(after.size);
      }),
      { numRuns: 200 },
    );
  });

  it('says what comes and what goes', () => {
    const of = (macs: number[]) => {
      const allocations = macs.map((n) => allocation(`fa:16:3e:00:00:0${n}`, { [`10.1.0.${n}`]: true }));
      const subnets = [subnet('10.1.0.0/24', null, { dhcp_enabled: true })];
      return compile(configuration([network('internal', 'qr-a', ['10.1.0.1/24'], { subnets, allocations })]));
    };
    const [step] = planNetworks(known(of([2, 3])), of([3, 4, 5]));
    expect(step?.what).toBe('qr-a: 2 hosts added, 1 host removed, 2 names added, 1 name removed');
    expect(step?.detail?.()).toEqual([
      '- fa:16:3e:00:00:02,10.1.0.2,vm',
      '+ fa:16:3e:00:00:04,10.1.0.4,vm',
      '+ fa:16:3e:00:00:05,10.1.0.5,vm',
      expect.stringMatching(/^- 10\.1\.0\.2 vm\./),
      expect.stringMatching(/^\+ 10\.1\.0\.4 vm\./),
      expect.stringMatching(/^\+ 10\.1\.0\.5 vm\./),
    ]);
    expect(planNetworks(known(new Map()), of([2])).map(({ what }) => what)).toEqual(['qr-a: on']);
    expect(planNetworks(known(of([2])), new Map()).map(({ what }) => what)).toEqual(['qr-a: off']);
  });

  it('finds the difference of lines', () => {
    const line = fc.stringMatching(/^[a-d]$/);
    fc.assert(
      fc.property(fc.uniqueArray(line), fc.uniqueArray(line), (before, after) => {
        const { added, removed } = difference(before, after);
        expect(new Set([...before.filter((each) => !removed.includes(each)), ...added])).toEqual(new Set(after));
        expect(added.some((each) => before.includes(each))).toBe(false);
      }),
    );
  });
});
