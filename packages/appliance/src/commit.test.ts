import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Appliance } from './appliance.ts';
import { until } from './processes.ts';
import { config, network, subnet } from './testing/configs.ts';
import { World } from './testing/world.ts';

let world: World;
let appliance: Appliance;

beforeEach(async () => {
  world = await World.create();
  await world.segment('neta', 'qr-a');
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/24', '10.2.0.10/24'] });
  await adopt();
});

afterEach(async () => {
  try {
    await appliance?.close();
  } finally {
    await world?.destroy();
  }
});

async function adopt(): Promise<void> {
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
}

function desired(generation: number, third = 1): ApplianceConfig {
  const cidr = `10.${third}.0`;
  const net = network('internal', 'qr-a', [`${cidr}.1/24`], { subnets: [subnet(`${cidr}.0/24`, `${cidr}.1`)] });
  return config([net], { generation });
}

const answers = (third: number) => world.eventuallyPings('a1', `10.${third}.0.1`, 1_000);
const names = () => appliance.events.since(0).map(({ event }) => event);

describe('a dry run', () => {
  it('says what would be done, and does nothing', async () => {
    await appliance.apply(desired(1));
    const { steps, etag } = await appliance.plan(desired(2, 2));
    expect(etag).toBe(configEtag(desired(2, 2)));
    expect(steps.map(({ service, phase }) => `${service} ${phase}`)).toEqual([
      'link build',
      'firewall switch',
      'link remove',
      'link serve',
    ]);
    expect(steps[0]?.detail?.()).toContain('address-add ifname=qr-a cidr=10.2.0.1/24');
    expect(await answers(1)).toBe(true);
    expect((await world.netns.addresses()).map(({ cidr }) => cidr)).not.toContain('10.2.0.1/24');
    expect(appliance.applied?.generation).toBe(1);
  });
});

describe('a configuration that must match', () => {
  it('is refused when another one is in force', async () => {
    await appliance.apply(desired(1));
    const mismatch = appliance.apply(desired(2, 2), { ifMatch: configEtag(desired(9, 9)) });
    await expect(mismatch).rejects.toMatchObject({ code: 'APPLIANCE_ETAG_MISMATCH', status: 412 });
    expect(appliance.applied?.generation).toBe(1);
    await appliance.apply(desired(2, 2), { ifMatch: configEtag(desired(1)) });
    expect(appliance.applied?.generation).toBe(2);
  });
});

describe('a commit that wants confirmation', () => {
  it('is given up when nobody confirms', async () => {
    await appliance.apply(desired(1));
    await appliance.apply(desired(2, 2), { confirmWithin: 200 });
    expect(appliance.pending?.etag).toBe(configEtag(desired(2, 2)));
    expect(await until(() => names().includes('reverted'), 5_000)).toBe(true);
    expect(appliance.applied).toEqual({ generation: 1, etag: configEtag(desired(1)) });
    expect(appliance.pending).toBeUndefined();
    expect(await answers(1)).toBe(true);
    await expect(appliance.confirm()).rejects.toMatchObject({ code: 'APPLIANCE_NOTHING_PENDING', status: 409 });
  });

  it('stays when somebody confirms', async () => {
    await appliance.apply(desired(1));
    await appliance.apply(desired(2, 2), { confirmWithin: 60_000 });
    await appliance.confirm();
    expect(appliance.pending).toBeUndefined();
    await appliance.close();
    await adopt();
    expect(appliance.pending).toBeUndefined();
    expect(appliance.applied?.generation).toBe(2);
  });

  it('is given up as a whole when a second one came upon it', async () => {
    await appliance.apply(desired(1));
    await appliance.apply(desired(2, 2), { confirmWithin: 60_000 });
    await appliance.apply(desired(3, 3), { confirmWithin: 60_000 });
    await appliance.cancel();
    expect(appliance.applied).toEqual({ generation: 1, etag: configEtag(desired(1)) });
  });

  it('is given up by the next process', async () => {
    await appliance.apply(desired(1));
    await appliance.apply(desired(2, 2), { confirmWithin: 300 });
    await appliance.close();
    await adopt();
    expect(await until(() => appliance.applied?.generation === 1, 5_000)).toBe(true);
    expect(await answers(1)).toBe(true);
  });

  it('leaves nothing when there was nothing before', async () => {
    await appliance.apply(desired(1), { confirmWithin: 60_000 });
    expect(await answers(1)).toBe(true);
    await appliance.cancel();
    expect(appliance.applied).toBeNull();
    expect(appliance.config()).toBeUndefined();
    expect((await world.netns.addresses()).filter(({ ifname, permanent }) => ifname === 'qr-a' && permanent)).toEqual(
      [],
    );
    await appliance.close();
    await adopt();
    expect(appliance.applied).toBeNull();
  });
});

describe('the history', () => {
  it('knows the last ten that were in force, and brings one back', async () => {
    for (let generation = 1; generation <= 13; generation += 1) await appliance.apply(desired(generation, generation));
    await appliance.close();
    await adopt();
    const generations = appliance.history().map(({ generation }) => generation);
    expect(generations).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    const etag = configEtag(desired(5, 5));
    expect(appliance.find(etag)).toEqual(desired(5, 5));
    await appliance.rollback(etag);
    expect(appliance.applied).toEqual({ generation: 13, etag });
    expect((await world.netns.addresses()).map(({ cidr }) => cidr)).toContain('10.5.0.1/24');
    await expect(appliance.rollback(configEtag(desired(1)))).rejects.toMatchObject({ code: 'APPLIANCE_NOT_FOUND' });
  });

  it('has one entry for what was pushed again', async () => {
    for (let generation = 1; generation <= 5; generation += 1) await appliance.apply(desired(generation));
    expect(appliance.history()).toEqual([]);
    expect(appliance.applied?.generation).toBe(5);
  });
});

describe('a self-check', () => {
  it('follows a commit, sees what clients would, and is told when it fails', async () => {
    const gateway = { default_v4_gateway: '10.1.0.10' };
    const { checks } = await appliance.apply({ ...desired(1), ...gateway }, { check: true });
    expect(checks?.length).toBeGreaterThan(0);
    expect(checks?.filter(({ ok }) => !ok)).toEqual([]);
    await appliance.apply({ ...desired(2), default_v4_gateway: '10.1.0.99' });
    expect(await until(() => names().includes('check-failed'), 10_000)).toBe(true);
    expect(appliance.checked?.checks.filter(({ ok }) => !ok).map(({ service }) => service)).toEqual(['link']);
  });
});

describe('what was changed by hand', () => {
  it('is shown, and mended by the audit', async () => {
    await appliance.apply(desired(1));
    expect(await appliance.drift()).toEqual([]);
    await world.ip([`-n ${world.name('r')} addr del 10.1.0.1/24 dev qr-a`]);
    expect((await appliance.drift()).map(({ service }) => service)).toContain('link');
    expect((await appliance.audit()).length).toBeGreaterThan(0);
    expect(await answers(1)).toBe(true);
    expect(await appliance.drift()).toEqual([]);
    expect(names()).toContain('drift');
    expect(await appliance.audit()).toEqual([]);
  });
});
