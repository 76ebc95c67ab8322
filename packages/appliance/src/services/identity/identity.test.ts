import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Identity } from '@astara/model/appliance/identity.ts';
import { configErrors, validateConfig } from '@astara/model/appliance/rules.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { anyIdentity, publicKey, validIdentity, validMetadata } from '../../testing/arbitrary-identity.ts';
import { config } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';
import { desiredIdentity } from './desired.ts';
import { renderIdentity } from './render.ts';

const key = publicKey;

function wanted(generation: number, identity?: Identity) {
  return config([], { generation, hostname: 'Router-1', ...(identity === undefined ? {} : { identity }) });
}

describe('a machine of its own', () => {
  let world: World;
  let appliance: Appliance;
  let root: string;
  const read = (path: string) => readFileSync(join(root, path), 'utf8');

  beforeAll(async () => {
    world = await World.create();
    root = mkdtempSync(join(tmpdir(), `at-identity-${process.pid}-`));
    for (const path of ['etc', 'proc/sys/kernel', 'usr/share/zoneinfo/Europe'])
      mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, 'usr/share/zoneinfo/Europe/Berlin'), '');
    Object.assign(world.home, { root });
  });
  beforeEach(async () => {
    writeFileSync(join(root, 'etc/hostname'), 'debian\n');
    writeFileSync(join(root, 'proc/sys/kernel/hostname'), 'debian\n');
    rmSync(join(root, 'etc/resolv.conf'), { force: true });
    // As systemd-resolved leaves it.
    symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
    rmSync(join(root, 'etc/localtime'), { force: true });
    rmSync(world.stateFile, { force: true });
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    return () => appliance.close();
  });
  afterAll(async () => {
    await world?.destroy();
    rmSync(root, { recursive: true, force: true });
  });

  it('has the name, the time, the keys and the resolvers that the configuration gives it', async () => {
    await appliance.apply(
      wanted(1, {
        time_zone: 'Europe/Berlin',
        authorized_keys: [key],
        nameservers: ['192.0.2.53', '2001:DB8::53'],
        search_domains: ['Example.org.', 'b.test'],
      }),
    );
    expect([read('etc/hostname'), read('proc/sys/kernel/hostname')]).toEqual(['router-1\n', 'router-1\n']);
    expect(readlinkSync(join(root, 'etc/localtime'))).toBe('/usr/share/zoneinfo/Europe/Berlin');
    expect(read('etc/timezone')).toBe('Europe/Berlin\n');
    expect(read('root/.ssh/authorized_keys')).toBe(`${key}\n`);
    expect(statSync(join(root, 'root/.ssh/authorized_keys')).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, 'root/.ssh')).mode & 0o777).toBe(0o700);
    expect(read('etc/resolv.conf')).toBe('search example.org b.test\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n');
  });

  it('is left alone where the configuration says nothing, also when it no longer does', async () => {
    await appliance.apply(wanted(1));
    expect(readlinkSync(join(root, 'etc/resolv.conf'))).toContain('stub-resolv.conf');
    expect(existsSync(join(root, 'etc/localtime'))).toBe(false);
    await appliance.apply(wanted(2, { authorized_keys: [key] }));
    await appliance.apply(wanted(3));
    expect(read('root/.ssh/authorized_keys')).toBe(`${key}\n`);
    await appliance.apply(wanted(4, { authorized_keys: [] }));
    expect(read('root/.ssh/authorized_keys')).toBe('');
  });

  it('is as it was when the configuration could not be put in force', async () => {
    const failing = appliance.apply(wanted(1, { nameservers: ['192.0.2.53'], time_zone: 'Europe/Atlantis' }));
    await expect(failing).rejects.toThrow('there is no /usr/share/zoneinfo/Europe/Atlantis');
    expect([read('etc/hostname'), read('proc/sys/kernel/hostname')]).toEqual(['debian\n', 'debian\n']);
    expect(readlinkSync(join(root, 'etc/resolv.conf'))).toContain('stub-resolv.conf');
    expect(existsSync(join(root, 'etc/localtime'))).toBe(false);
  });

  it('shows what somebody has changed by hand, and has it repaired', async () => {
    await appliance.apply(wanted(1, { nameservers: ['192.0.2.53'] }));
    expect(await appliance.drift()).toEqual([]);
    writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 8.8.8.8\n');
    const drift = await appliance.drift();
    expect(drift).toMatchObject([{ service: 'identity', what: '/etc/resolv.conf' }]);
    await appliance.repair();
    expect(read('etc/resolv.conf')).toBe('nameserver 192.0.2.53\n');
    expect(await appliance.drift()).toEqual([]);
  });
});

describe('a namespace of a host', () => {
  it('touches nothing of the host, and says so', async () => {
    const paths = ['/etc/hostname', '/etc/resolv.conf', '/etc/timezone', '/root/.ssh/authorized_keys'];
    const look = () => [
      hostname(),
      ...paths.map((path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)),
    ];
    const before = look();
    const world = await World.create();
    try {
      const appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
      const report = await appliance.apply(
        wanted(1, { time_zone: 'Europe/Berlin', authorized_keys: [key], nameservers: ['192.0.2.53'] }),
      );
      expect(report.steps.filter(({ service }) => service === 'identity')).toEqual([]);
      expect(look()).toEqual(before);
      const status = (await appliance.status()).find(({ name }) => name === 'identity');
      expect(status).toMatchObject({ wanted: false, running: false });
      await appliance.close();
    } finally {
      await world.destroy();
    }
  });
});

describe('what is rendered', () => {
  it('holds the lines that it should and no others, or is refused', () => {
    fc.assert(
      fc.property(anyIdentity, (value) => {
        let files: ReturnType<typeof renderIdentity>;
        try {
          files = renderIdentity(desiredIdentity(wanted(1, value)));
        } catch (error) {
          expect(error).toMatchObject({ code: 'APPLIANCE_VALUE_REFUSED' });
          return;
        }
        const lines = (path: string) => {
          const file = files.get(path);
          return file?.kind === 'file' ? file.text.split('\n').slice(0, -1) : [];
        };
        expect(lines('/root/.ssh/authorized_keys')).toHaveLength(value.authorized_keys?.length ?? 0);
        const resolver = lines('/etc/resolv.conf');
        expect(resolver.filter((line) => /^nameserver [0-9a-f.:]+$/.test(line))).toHaveLength(
          value.nameservers?.length ?? 0,
        );
        expect(resolver.filter((line) => !line.startsWith('nameserver ')).length).toBe(
          value.search_domains?.length ? 1 : 0,
        );
        const zone = files.get('/etc/localtime');
        if (zone?.kind === 'link') expect(zone.target).not.toContain('..');
      }),
      { numRuns: 1_000 },
    );
  });

  it('of what the API lets in nothing is refused', () => {
    fc.assert(
      fc.property(validIdentity, validMetadata, (identity, metadata) => {
        const valid = validateConfig({ ...wanted(1, identity), metadata });
        expect(valid).toMatchObject({ ok: true });
        expect(renderIdentity(desiredIdentity(wanted(1, identity))).get('/etc/hostname')).toBeDefined();
      }),
    );
  });

  it('is what a key says itself to be', () => {
    const errors = (authorized_keys: string[], nameservers: string[] = []) =>
      configErrors(wanted(1, { authorized_keys, nameservers })).map(({ field }) => field);
    expect(errors([key])).toEqual([]);
    expect(errors([key.replace('ed25519', 'rsa'), 'ssh-rsa AAAA', 'ssh-rsa AAAAB3NzaC1yc2E='])).toEqual([
      '/identity/authorized_keys/0',
      '/identity/authorized_keys/1',
      '/identity/authorized_keys/2',
    ]);
    expect(errors([], ['127.0.0.53', '224.0.0.1', '0.0.0.0'])).toEqual([
      '/identity/nameservers/1',
      '/identity/nameservers/2',
    ]);
  });
});
