import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { routerConfig, routerWorld } from '../../testing/router-world.ts';
import type { World } from '../../testing/world.ts';

let world: World;
let appliance: Appliance;

const desired = routerConfig({
  floating_ips: [
    { floating_ip: '198.51.100.50', fixed_ip: '10.1.0.10', rate_limits: { ingress: { max_kbps: 1000 } } },
    { floating_ip: '198.51.100.51', fixed_ip: '10.1.0.11' },
  ],
  port_forwardings: [
    { floating_ip: '198.51.100.52', protocol: 'tcp', external_port: 80, internal_ip: '10.1.0.10', internal_port: 81 },
    {
      floating_ip: '198.51.100.52',
      protocol: 'udp',
      external_port: 90,
      external_port_end: 99,
      internal_ip: '10.1.0.10',
      internal_port: 90,
      internal_port_end: 99,
    },
  ],
  labels: { near: ['198.51.100.0/24', '2001:db8:1::/64'] },
  address_book: { servers: ['10.1.0.10/32', 'fd01::10/128'] },
  anchors: [
    { name: 'first', rules: [{ action: 'block', destination: 'servers', protocol: 'tcp', destination_port: '25' }] },
  ],
  firewall_groups: [
    {
      id: 'f1',
      interfaces: ['qr-b'],
      ingress_rules: [{ action: 'allow', protocol: 'tcp' }],
      egress_rules: [{ action: 'allow' }],
    },
  ],
});

beforeAll(async () => {
  world = await routerWorld();
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
  await appliance.apply(desired);
}, 30_000);

afterAll(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

const nft = async (...argv: string[]) => {
  const { status, stdout, stderr } = await world.exec('r', ['nft', ...argv]);
  if (status !== 0) throw new Error(`nft ${argv.join(' ')}: ${stderr}`);
  return stdout;
};
/** Everything but what packets change; sets and chains in an order that does not tell when they were made. */
const ruleset = async () =>
  (await nft('list', 'table', 'inet', 'astara'))
    .replace(/packets \d+ bytes \d+/g, '')
    .replace(/elements = \{[^}]*counter[^}]*\}/g, '')
    .split(/^(?=\t\w)/m)
    .map((block) => block.replace(/[\s}]+$/, '').trim())
    .sort()
    .join('\n');
const names = async (kind: string) =>
  [...(await nft('list', 'table', 'inet', 'astara')).matchAll(new RegExp(`^\\t${kind} (\\S+) \\{`, 'gm'))].map(
    ([, name]) => name ?? '',
  );

async function repaired(before: string): Promise<void> {
  const drift = await appliance.drift();
  expect(drift.map(({ service }) => service)).toContain('firewall');
  await appliance.audit();
  expect(await ruleset()).toBe(before);
  expect(await appliance.drift()).toEqual([]);
}

describe('what somebody changed by hand is found and mended:', () => {
  it('a rule less, in every chain that has one', async () => {
    const before = await ruleset();
    const listing = await nft('-a', 'list', 'table', 'inet', 'astara');
    const chains = await names('chain');
    expect(chains.length).toBeGreaterThan(14);
    let tried = 0;
    for (const chain of chains) {
      const body = new RegExp(`chain ${chain} \\{[^]*?\\n\\t\\}`).exec(listing)?.[0] ?? '';
      if (!/comment/.test(body)) continue;
      // Handles change with each repair of the whole table.
      const now = await nft('-a', 'list', 'chain', 'inet', 'astara', chain);
      const handle = [...now.matchAll(/comment "\w+" # handle (\d+)/g)].at(-1)?.[1] ?? '';
      await nft('delete', 'rule', 'inet', 'astara', chain, 'handle', handle);
      await repaired(before);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(12);
  });

  it('a rule more, in every chain', async () => {
    const before = await ruleset();
    for (const chain of await names('chain')) {
      await nft('insert', 'rule', 'inet', 'astara', chain, 'counter', 'comment', '"mine"');
      await repaired(before);
    }
  });

  it('a rule in place of another, a policy, a chain, a set', async () => {
    const before = await ruleset();
    const anchors = await nft('-a', 'list', 'chain', 'inet', 'astara', 'anchors');
    const handle = /comment "\w+" # handle (\d+)/.exec(anchors)?.[1] ?? '';
    await nft('replace', 'rule', 'inet', 'astara', 'anchors', 'handle', handle, 'accept');
    await repaired(before);
    await nft('chain', 'inet', 'astara', 'forward', '{ policy accept; }');
    await repaired(before);
    await nft('add', 'chain', 'inet', 'astara', 'mine', '{ type filter hook forward priority -10; policy drop; }');
    await repaired(before);
    await nft('add', 'set', 'inet', 'astara', 'mine', '{ type ipv4_addr; flags interval; }');
    await repaired(before);
    await nft('delete', 'table', 'inet', 'astara');
    expect((await appliance.status()).find(({ name }) => name === 'firewall')).toMatchObject({ running: false });
    expect((await appliance.check()).find(({ service }) => service === 'firewall')).toMatchObject({ ok: false });
    await repaired(before);
    expect((await appliance.status()).find(({ name }) => name === 'firewall')).toMatchObject({ running: true });
  });

  it('an element less, or all, in every set and map that has any, also after a restart of the agent', async () => {
    const before = await ruleset();
    const filled = [
      ...(await nft('list', 'table', 'inet', 'astara')).matchAll(/^\t(set|map) (\S+) \{[^}]*elements = /gm),
    ];
    const own = filled
      .map(([, kind = '', name = '']) => ({ kind, name }))
      .filter(({ name }) => !name.startsWith('fip_s') && !name.startsWith('fip_r'));
    expect(own.length).toBeGreaterThan(20);
    for (const { kind, name } of own) {
      await nft('flush', kind, 'inet', 'astara', name);
      await repaired(before);
    }
    await nft('delete', 'element', 'inet', 'astara', 'fip_in', '{ 198.51.100.50 }');
    await nft('add', 'element', 'inet', 'astara', 'fip_out', '{ 10.1.0.99 : 198.51.100.99 }');
    await nft('delete', 'element', 'inet', 'astara', 'limit_in', '{ 198.51.100.50 }');
    await nft(
      'add',
      'element',
      'inet',
      'astara',
      'limit_in',
      '{ 198.51.100.50 limit rate over 1 bytes/second burst 5 bytes }',
    );
    await nft('add', 'element', 'inet', 'astara', 'source4', '{ "qr-a" . 192.168.0.0/16 }');
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await ruleset()).toBe(before);
  });

  it('and nothing is, where nothing was changed', async () => {
    expect(await appliance.drift()).toEqual([]);
    expect((await appliance.check()).filter(({ service }) => service === 'firewall')).toMatchObject([{ ok: true }]);
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    const handles = await nft('-a', 'list', 'chain', 'inet', 'astara', 'forward');
    await appliance.repair();
    expect(await nft('-a', 'list', 'chain', 'inet', 'astara', 'forward')).toBe(handles);
  });
});

describe('flow offload', () => {
  it('is left out with a warning where the kernel has none', async () => {
    const offloading = { ...desired, generation: (desired.generation ?? 0) + 1, flow_offload: true };
    await appliance.apply(offloading);
    const flowtables = await nft('list', 'flowtables');
    const status = (await appliance.status()).find(({ name }) => name === 'firewall');
    expect(status).toMatchObject({ running: true });
    // Whichever kernel this is, the two agree.
    const supported = flowtables.includes('flowtable fast');
    expect(JSON.stringify(status).includes('not supported')).toBe(!supported);
    expect(await appliance.drift()).toEqual([]);
    const again = await appliance.apply({ ...offloading, generation: (offloading.generation ?? 0) + 1 });
    expect(again.steps).toEqual([]);
  });
});
