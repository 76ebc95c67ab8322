import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SocketAppliances } from '../appliance-client/client.ts';
import { providerConformance } from './conformance.ts';
import { NamespaceProvider } from './namespace.ts';

/** We may not import the agent; here it is a program like any other. */
const main = fileURLToPath(new URL('../../../agent/src/main.ts', import.meta.url));

test('an agent that is not there', async () => {
  const provider = new NamespaceProvider({ socket: '/tmp/at-orchestrator-nobody.sock', connections: 1 });
  await expect(provider.list(AbortSignal.timeout(1000))).rejects.toMatchObject({
    code: 'PROVIDER_UNREACHABLE',
    retry: 'retry',
    radius: 'provider',
  });
});

describe.skipIf(!existsSync(main))('with the real agent', () => {
  let dir: string;
  let agent: ChildProcess;
  let provider: NamespaceProvider;
  const appliances = new SocketAppliances();

  beforeAll(async () => {
    dir = mkdtempSync('/tmp/at-orchestrator-');
    const config = join(dir, 'astara.conf');
    writeFileSync(config, `[DEFAULT]\nrun_dir = ${dir}\n`);
    provider = new NamespaceProvider({ socket: join(dir, 'agent.sock'), connections: 8 });
    agent = spawn(process.execPath, [main, '--config-file', config], { stdio: ['ignore', 'ignore', 'inherit'] });
    const deadline = Date.now() + 20_000;
    for (;;) {
      const up = await provider.list(AbortSignal.timeout(5000)).then(
        () => true,
        () => false,
      );
      if (up) break;
      if (agent.exitCode !== null || Date.now() > deadline) throw new Error('the agent does not start');
      await sleep(50);
    }
  });

  afterAll(async () => {
    await clear();
    provider.close();
    appliances.close();
    agent.kill('SIGTERM');
    if (agent.exitCode === null) await once(agent, 'exit');
    rmSync(dir, { recursive: true });
  });

  async function clear(): Promise<void> {
    const left = await provider.list(AbortSignal.timeout(5000));
    await Promise.all(left.map(({ id }) => provider.destroy(id, AbortSignal.timeout(15_000))));
  }

  providerConformance('namespace', async () => ({ provider, dispose: clear }));

  test('a configuration pushed is in force, and listed as what was pushed', async () => {
    const time = () => AbortSignal.timeout(15_000);
    const id = crypto.randomUUID();
    const port = crypto.randomUUID();
    const ifname = `qr-${port.slice(0, 11)}`;
    const network = crypto.randomUUID();
    const view = await provider.ensure(
      id,
      {
        resource: { kind: 'router', id },
        attachments: [
          { port_id: port, network_id: network, mac_address: 'fa:16:3e:12:34:56', mtu: 1450, ifname, plug: 'bridge' },
        ],
      },
      time(),
    );
    const config: ApplianceConfig = {
      generation: Date.now(),
      hostname: 'r1',
      tenant_id: crypto.randomUUID(),
      networks: [
        {
          network_id: network,
          name: 'n',
          network_type: 'internal',
          interface: { ifname, addresses: ['10.9.8.1/24'] },
          v4_conf_service: 'static',
          v6_conf_service: 'static',
          subnets: [],
          allocations: [],
        },
      ],
      floating_ips: [],
    };
    const applied = await appliances.push(view, config, time());
    expect(applied).toMatchObject({ generation: config.generation, etag: configEtag(config), warnings: [] });
    expect(applied.changes).toBeGreaterThan(0);
    const [listed] = await provider.list(time());
    expect(listed?.applied).toEqual({ generation: config.generation, etag: configEtag(config) });
    expect((await appliances.push(view, config, time())).changes).toBe(0);
    await expect(appliances.push(view, { ...config, generation: 1 }, time())).rejects.toMatchObject({
      code: 'APPLIANCE_GENERATION_OLD',
    });
    expect(readFileSync(join(dir, 'instances', id, 'applied.json'), 'utf8')).toContain('10.9.8.1/24');
  });
});
