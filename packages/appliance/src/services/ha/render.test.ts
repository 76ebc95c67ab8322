import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { privilegePrefix } from '../../privileges.ts';
import { haConfig } from '../../testing/arbitrary-ha.ts';
import { config, network } from '../../testing/configs.ts';
import { run } from '../../testing/world.ts';
import { desiredHa } from './desired.ts';
import { HA_USER } from './render.ts';
import { haState } from './state.ts';
import { virtualAddresses } from './virtual.ts';

const privileges = { user: HA_USER, capabilities: ['net_admin', 'net_raw'] } as const;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'at-ha-'));
  await chmod(directory, 0o755);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function compile(wanted: ApplianceConfig, warnings: string[] = [], runDirInside = directory) {
  const context = { runDirInside, warn: (text: string) => void warnings.push(text) };
  return haState(desiredHa(wanted, context), runDirInside);
}

const base = config(
  [
    network('management', 'ha0', ['172.31.0.1/24', 'fd31::1/64']),
    network('external', 'ext0', ['198.51.100.2/24']),
    network('internal', 'int0', ['10.0.0.1/24', 'fd01::1/64']),
  ],
  {
    default_v4_gateway: '198.51.100.1',
    static_routes: [
      { destination: '10.9.0.0/16', nexthop: '10.0.0.8' },
      { destination: '10.9.0.0/16', nexthop: '10.0.0.9' },
    ],
    floating_ips: [{ floating_ip: '198.51.100.9', fixed_ip: '10.0.0.9' }],
    ha: { vrid: 7, priority: 100, interface: 'ha0', peers: ['172.31.0.2'], advert_interval_ms: 50 },
  },
);

describe('keepalived', () => {
  it('is told in one instance of both versions when members hear each other in one', () => {
    const text = compile(base, [], '/run')?.keepalived ?? '';
    expect(text.slice(text.indexOf('vrrp_instance'))).toMatchInlineSnapshot(`
      "vrrp_instance router4 {
        state BACKUP
        interface ha0
        virtual_router_id 7
        priority 100
        advert_int 0.05
        nopreempt
        unicast_src_ip 172.31.0.1
        unicast_peer {
          172.31.0.2
        }
        track_interface {
          ext0
          int0
        }
        notify_backup "/usr/sbin/conntrackd -C /run/ha/conntrackd-7e4512ac7ef9.conf -B"
        virtual_ipaddress {
          169.254.0.7/32 dev ha0
        }
        virtual_ipaddress_excluded {
          198.51.100.2/24 dev ext0
          fe80::91ad:189:348d:525a/64 dev int0
          10.0.0.1/24 dev int0
          fd01::1/64 dev int0
          198.51.100.9/32 dev ext0
        }
        virtual_routes {
          0.0.0.0/0 via 198.51.100.1 dev ext0 onlink no_track
          10.9.0.0/16 no_track nexthop via 10.0.0.8 dev int0 onlink weight 1 nexthop via 10.0.0.9 dev int0 onlink weight 1
        }
      }
      "
    `);
  });

  it('starts without what others may still have', () => {
    const { waiting = '', keepalived = '' } = compile(base) ?? {};
    expect(waiting).not.toContain('ext0 onlink');
    expect(waiting).not.toContain('198.51.100.9');
    expect(keepalived).toContain('198.51.100.9/32 dev ext0');
  });

  it('is told in two instances that move together when they hear each other in both', () => {
    const peers = ['172.31.0.2', 'fd31::2'];
    const text = compile({ ...base, ha: { vrid: 7, priority: 100, interface: 'ha0', peers } })?.keepalived ?? '';
    expect(text).toContain('vrrp_sync_group router {\n  group {\n    router4\n    router6\n  }\n}\n');
    const [, four = '', six = ''] = text.split('vrrp_instance');
    expect(four).toContain('10.0.0.1/24 dev int0');
    expect(four).not.toContain('fd01::1');
    expect(six).toContain('fd01::1/64 dev int0');
  });

  it('warns of an interval that is shorter than keepalived needs for its addresses', () => {
    const floating_ips = Array.from({ length: 10_000 }, (_, index) => ({
      floating_ip: `100.64.${index >> 8}.${index & 255}`,
      fixed_ip: '10.0.0.9',
    }));
    const warnings: string[] = [];
    compile({ ...base, floating_ips }, warnings);
    expect(warnings).toEqual([expect.stringContaining('1870 is safe')]);
  });
});

describe('whatever the API lets in', () => {
  it('is accepted by keepalived -t and by conntrackd, and everything virtual is in it', async () => {
    await fc.assert(
      fc.asyncProperty(haConfig, async (wanted) => {
        const state = compile(wanted);
        if (state === undefined) throw new Error('there is an address to be heard with');
        const accepted = async (text: string, program: string, ...args: string[]) => {
          const path = join(directory, `${program}.conf`);
          await writeFile(path, text);
          return run('unshare', ['--net', ...privilegePrefix(privileges), program, ...args, path]);
        };
        for (const text of [state.keepalived, state.waiting]) {
          expect(await accepted(text, 'keepalived', '--config-test', '--use-file')).toMatchObject({
            status: 0,
            stderr: '',
          });
        }
        for (const { cidr, ifname } of virtualAddresses(wanted)) {
          if (ifname !== wanted.ha?.interface) expect(state.keepalived).toContain(`${cidr} dev ${ifname}\n`);
        }
        if (state.conntrackd === undefined) return;
        // It reads all of its configuration before it finds that there is nobody to ask.
        const { stderr } = await accepted(state.conntrackd, 'conntrackd', '-s', '-C');
        expect(stderr).toMatch(/connect/);
        const complaints = stderr.split('\n').filter((line) => !line.includes('is an invalid interface'));
        expect(complaints.join('\n')).not.toMatch(/line|pars|syntax|warn/i);
      }),
      { numRuns: 60 },
    );
  }, 30_000);
});
