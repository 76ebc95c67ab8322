import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { netnsName } from '@astara/model/instance.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentProcess } from './testing/agent-process.ts';
import { call } from './testing/client.ts';
import { attachment, routerConfig, spec, uniqueId } from './testing/fixtures.ts';
import { ip, temporaryRunDir } from './testing/world.ts';

/** An agent that is killed while it applies: the next one has the old configuration in force or the new one, and whole. */

const runDir = temporaryRunDir();
const id = uniqueId();
const [inside, outside] = [attachment({ ifname: 'qr-a' }), attachment({ ifname: 'qg-a' })];
let agent: AgentProcess;
let socket: string;

beforeAll(async () => {
  agent = await new AgentProcess(runDir).serving();
  socket = (await agent.client.put(id, spec([inside, outside]))).body.appliance_socket;
});

afterAll(async () => {
  await agent.client.destroy(id);
  await agent.end('SIGTERM');
});

/** Two that differ in addresses, routes, floating IPs, hosts and daemons. */
function desired(kind: 'a' | 'b', generation: number): ApplianceConfig {
  const net = kind === 'a' ? '198.18.7' : '198.18.8';
  const [internal] = routerConfig(inside, net).networks;
  if (internal === undefined) throw new Error('no network');
  const subnets = internal.subnets.map((subnet) => ({ ...subnet, id: `5ab-${kind}` }));
  const allocation = (last: number) => ({
    mac_address: `fa:16:3e:00:${kind === 'a' ? '0a' : '0b'}:${last.toString(16).padStart(2, '0')}`,
    ip_addresses: { [`${net}.${last}`]: true },
    hostname: `vm-${kind}-${last}`,
    device_id: '',
  });
  const allocations = Array.from({ length: 50 }, (_, index) => allocation(10 + index));
  return {
    generation,
    hostname: 'at-agent',
    tenant_id: 'a0',
    networks: [
      { ...internal, subnets, allocations },
      {
        ...internal,
        network_id: outside.network_id,
        network_type: 'external',
        interface: { ifname: 'qg-a', addresses: ['203.0.113.2/24'], mtu: 1450 },
        subnets: [],
      },
    ],
    default_v4_gateway: kind === 'a' ? '203.0.113.1' : '203.0.113.254',
    static_routes: [{ destination: `192.0.2.${kind === 'a' ? 0 : 128}/25`, nexthop: `${net}.9` }],
    floating_ips: allocations.map(({ ip_addresses }, index) => ({
      floating_ip: `203.0.113.${(kind === 'a' ? 10 : 100) + index}`,
      fixed_ip: Object.keys(ip_addresses)[0] ?? '',
    })),
  };
}

const push = (config: ApplianceConfig) => call(socket, 'PUT', '/v2/config?check=false', config);

/** Everything that the configurations decide, as text. */
function world(): string {
  const nft = execFileSync('ip', ['netns', 'exec', netnsName(id), 'nft', '-s', 'list', 'ruleset'], {
    encoding: 'utf8',
  });
  const parts = [
    nft,
    ip(id, '-o', 'address').replace(/^\d+: |(valid|preferred)_lft \S+/gm, ''),
    ip(id, 'route'),
    ip(id, '-6', 'route'),
    ...['qr-a', 'qg-a'].map((ifname) => ip(id, '-o', 'link', 'show', ifname)),
  ];
  return parts.map((part) => part.split('\n').sort().join('\n')).join('\n');
}

async function etagInForce(): Promise<string> {
  const { body } = await call<{ applied: { etag: string } | null }>(socket, 'GET', '/v2/config');
  return body.applied?.etag ?? '';
}

describe('an agent that is killed in the middle of an apply', () => {
  test('leaves the old configuration or the new one', async () => {
    const worlds = new Map<string, string>();
    let generation = 0;
    let whole = 0;
    for (const kind of ['a', 'b', 'a', 'b'] as const) {
      generation += 1;
      const begun = performance.now();
      const { status, text } = await push(desired(kind, generation));
      expect(status, text).toBe(200);
      whole = performance.now() - begun;
      worlds.set(configEtag(desired(kind, generation)), world());
    }
    const outcomes = new Set<string>();
    let [kind, other]: ('a' | 'b')[] = ['a', 'b'];
    // Ended ever later within an apply, and the last time just after its answer.
    for (const part of [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, Number.POSITIVE_INFINITY]) {
      generation += 1;
      const pushed = push(desired(kind ?? 'a', generation)).catch(() => undefined);
      await Promise.race([pushed, setTimeout(Math.min(whole * part, 10_000))]);
      await agent.end('SIGKILL');
      await pushed;
      agent = await new AgentProcess(runDir).serving();
      const etag = await etagInForce();
      const [fresh, old] = [kind, other].map((which) => configEtag(desired(which ?? 'a', 1)));
      expect([fresh, old]).toContain(etag);
      expect(world()).toBe(worlds.get(etag));
      outcomes.add(etag === fresh ? 'new' : 'old');
      const hosts = join(runDir, 'instances', id, 'run', 'dnsmasq');
      expect(existsSync(hosts)).toBe(true);
      // What is in force decides which one differs from it.
      if (etag === fresh) [kind, other] = [other, kind];
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
  }, 60_000);

  test('leaves no half-written file', () => {
    const stored: unknown = JSON.parse(readFileSync(join(runDir, 'instances', id, 'applied.json'), 'utf8'));
    expect(stored).toMatchObject({ config: { hostname: 'at-agent' } });
    expect(existsSync(join(runDir, 'instances', id, 'applied.json.tmp'))).toBe(false);
  });
});
