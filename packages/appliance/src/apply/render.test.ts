import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { desiredDhcp } from '../services/dhcp/desired.ts';
import { dhcpState } from '../services/dhcp/runner.ts';
import { desiredFirewall } from '../services/firewall/desired.ts';
import { renderTable } from '../services/firewall/render.ts';
import { anyConfig } from '../testing/arbitrary.ts';
import { run } from '../testing/world.ts';

const directory = mkdtempSync(join(tmpdir(), 'at-app-render-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const address = String.raw`(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])`;
const name = '[A-Za-z0-9][A-Za-z0-9.-]*';
const lines = {
  hosts: new RegExp(`^([0-9a-f]{2}:){5}[0-9a-f]{2}(,${address})+,${name}$`),
  names: new RegExp(`^[0-9a-f:.]+( ${name}){2,4}$`),
  // One tag, one option, and then either characters that mean nothing or one quoted text.
  options:
    /^tag:[sp][0-9a-f]{16},(option:|option6:)?[a-z0-9-]+(,([A-Za-z0-9.,:;/@%+=~?&[\]_-]*|"([^"\\]|\\["\\])*"))?$/,
  conf: /^[a-z0-9-]+(=[A-Za-z0-9,.:/_-]+)?$/,
};

describe('what is rendered', () => {
  it('has no line that a text of a tenant could have made', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const files = dhcpState(desiredDhcp(config), '/run')?.files;
        if (files === undefined) return;
        for (const file of ['conf', 'hosts', 'names', 'options'] as const) {
          for (const line of files[file].split('\n').slice(0, -1)) expect(line).toMatch(lines[file]);
        }
        expect(renderTable(desiredFirewall(config).elements)).toMatch(/^[\w\s{}"@:;,.=/-]*$/);
      }),
      { numRuns: 1_500 },
    );
  });

  it('is accepted by nft and dnsmasq', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, async (config) => {
        const nft = await run('nft', ['-c', '-f', '-'], { input: renderTable(desiredFirewall(config).elements) });
        expect(nft).toMatchObject({ status: 0, stderr: '' });
        const dhcp = dhcpState(desiredDhcp(config), directory);
        if (dhcp !== undefined) {
          const path = join(directory, 'dnsmasq.conf');
          writeFileSync(path, dhcp.files.conf);
          const dnsmasq = await run('dnsmasq', ['--test', `--conf-file=${path}`]);
          expect(dnsmasq).toMatchObject({ status: 0, stderr: 'dnsmasq: syntax check OK.\n' });
        }
      }),
      { numRuns: 40 },
    );
  });
});
