import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Appliance } from './appliance.ts';
import { allocation, config, network, subnet } from './testing/configs.ts';
import { World } from './testing/world.ts';

/** A disk that takes no more: what is in force stays in force, and the next configuration can be applied once there is room. */

let world: World;
let appliance: Appliance;
let directory: string;

beforeEach(async () => {
  world = await World.create();
  await world.segment('neta', 'qr-a');
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/24', '10.2.0.10/24'] });
  directory = dirname(world.stateFile);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=755', 'at-app-disk', directory]);
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
});

afterEach(async () => {
  try {
    await appliance?.close();
    for (const { pid } of await world.home.processes()) process.kill(pid, 'SIGKILL');
  } finally {
    execFileSync('umount', ['-l', directory]);
    await world?.destroy();
  }
});

/** Two that differ in what is written for dnsmasq, too, if there is one. */
function desired(generation: number, third: number, dhcp: boolean) {
  const cidr = `10.${third}.0`;
  const allocations = Array.from({ length: 100 }, (_, index) => {
    const last = (index + 20).toString(16).padStart(2, '0');
    return allocation(`fa:16:3e:00:00:${last}`, { [`${cidr}.${index + 20}`]: true }, { hostname: `vm-${index}` });
  });
  const subnets = [subnet(`${cidr}.0/24`, `${cidr}.1`, { dhcp_enabled: dhcp })];
  return config([network('internal', 'qr-a', [`${cidr}.1/24`], { subnets, allocations })], { generation });
}

const full = {
  begin: () => {
    const { bavail, bsize } = statfsSync(directory);
    writeFileSync(join(directory, 'ballast'), Buffer.alloc(bavail * bsize));
  },
  end: () => rmSync(join(directory, 'ballast')),
};
/** Not with dnsmasq: what is open for writing keeps a disk from becoming read-only in the orderly way of mount(8). */
const readOnly = {
  begin: () => execFileSync('mount', ['-o', 'remount,ro', directory]),
  end: () => execFileSync('mount', ['-o', 'remount,rw', directory]),
};

describe.each([
  ['full', full, true, 'ENOSPC'],
  ['read-only', readOnly, false, 'EROFS'],
] as const)('a disk that is %s', (_, disk, dhcp, code) => {
  it('keeps the old configuration in force, and is named', async () => {
    await appliance.apply(desired(1, 1, dhcp));
    expect(await world.eventuallyPings('a1', '10.1.0.1')).toBe(true);
    disk.begin();
    try {
      await expect(appliance.apply(desired(2, 2, dhcp))).rejects.toMatchObject({
        code: 'APPLIANCE_APPLY_FAILED',
        cause: expect.objectContaining({ code }),
      });
      expect(appliance.applied).toEqual({ generation: 1, etag: configEtag(desired(1, 1, dhcp)) });
      expect(await world.pings('a1', '10.1.0.1')).toBe(true);
      expect((await world.netns.addresses()).map(({ cidr }) => cidr)).not.toContain('10.2.0.1/24');
      const service = (await appliance.status()).find(({ name }) => name === 'dhcp');
      expect(service).toMatchObject({ wanted: dhcp, running: dhcp });
    } finally {
      disk.end();
    }
    await appliance.apply(desired(2, 2, dhcp));
    expect(await world.eventuallyPings('a1', '10.2.0.1')).toBe(true);
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(appliance.applied?.generation).toBe(2);
  });
});
