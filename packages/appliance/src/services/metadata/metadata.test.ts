import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { join } from 'node:path';
import type { Metadata } from '@astara/model/appliance/metadata.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { until } from '../../processes.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

let world: World;
let appliance: Appliance;
let nova: Server;
/** Of the proxy to Nova: now, and at most. */
const connections = { open: 0, most: 0 };
let seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];

const TENANT = 'dead-beef';
/** That boot at once, beside a1. */
const MACHINES = 200;

function configuration(generation: number, endpoint: string, more: Partial<Metadata> = {}) {
  return config(
    [
      network('internal', 'qr-a', ['10.1.0.1/23', 'fd00:1::1/64'], {
        subnets: [subnet('10.1.0.0/23', '10.1.0.1'), subnet('fd00:1::/64', 'fd00:1::1')],
        allocations: [
          allocation('fa:16:3e:00:0a:01', { '10.1.0.10': true }, { device_id: 'instance-1', tenant_id: TENANT }),
          allocation('fa:16:3e:00:0a:06', { 'fd00:1::6': true }, { device_id: 'instance-6', tenant_id: TENANT }),
          ...Array.from({ length: MACHINES }, (_, index) =>
            allocation(
              `fa:16:3e:00:0b:${(index + 16).toString(16)}`,
              { [`10.1.1.${index + 1}`]: true },
              { device_id: `many-${index}`, tenant_id: TENANT },
            ),
          ),
        ],
      }),
    ],
    { generation, metadata: { endpoint, ...more } },
  );
}

async function curl(host: string, ...more: string[]): Promise<string> {
  const argv = ['curl', '-s', '-m', '5', '-w', '|%{http_code}', ...more];
  return (await world.exec(host, argv)).stdout;
}

const BOOT = join(import.meta.dirname, 'testing', 'boot.ts');
const IDLE = join(import.meta.dirname, 'testing', 'idle.ts');
const URL = 'http://169.254.169.254/latest/meta-data?x=1';

beforeAll(async () => {
  world = await World.create();
  nova = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body });
      response.setHeader('x-from', 'nova');
      response.statusCode = request.url?.includes('missing') ? 404 : 200;
      response.end('hello');
    });
  });
  nova.on('connection', (socket) => {
    connections.open += 1;
    connections.most = Math.max(connections.most, connections.open);
    socket.on('close', () => {
      connections.open -= 1;
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  nova.listen(join(world.home.runDir, 'nova.sock'), resolve);
  await promise;
  await world.segment('neta', 'qr-a');
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/23'], gateway: '10.1.0.1' });
  await world.host('six', 'neta', { mac: 'fa:16:3e:00:0a:06' });
  await world.host('stranger', 'neta', { mac: 'fa:16:3e:00:0a:07' });
  await world.host('many', 'neta', {
    addresses: Array.from({ length: MACHINES }, (_, index) => `10.1.1.${index + 1}/23`),
    gateway: '10.1.0.1',
  });
  await world.host('a2', 'neta', { addresses: ['10.1.0.11/23'], gateway: '10.1.0.1' });
  appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
  await appliance.apply(configuration(1, `unix:${join(world.home.runDir, 'nova.sock')}`));
});

afterAll(async () => {
  try {
    await appliance?.close();
    nova?.close();
  } finally {
    await world?.destroy();
  }
});

describe('metadata', () => {
  it('is asked for in the name of the instance, whatever the client says', async () => {
    seen = [];
    const forged = ['-H', 'X-Instance-ID: other', '-H', 'X_Tenant_ID: other', '-H', 'X-Forwarded-For: 1.2.3.4'];
    const connection = ['-H', 'Connection: x-instance-id, x-tenant-id'];
    expect(await curl('a1', ...forged, ...connection, '-H', 'X-Keep: me', '-d', 'secret', URL)).toBe('hello|200');
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ url: '/latest/meta-data?x=1', body: 'secret' });
    expect(seen[0]?.headers).toMatchObject({
      'x-instance-id': 'instance-1',
      'x-tenant-id': TENANT,
      'x-forwarded-for': '10.1.0.10',
      'x-keep': 'me',
    });
    expect(seen[0]?.headers).not.toHaveProperty('x_tenant_id');
  });

  it('hands on status and headers', async () => {
    expect(await curl('a1', '-i', 'http://169.254.169.254/missing')).toMatch(
      /404 Not Found[\s\S]*x-from: nova[\s\S]*\|404/i,
    );
  });

  it('does not exist for unknown addresses', async () => {
    expect(await curl('a2', URL)).toMatch(/\|404$/);
  });

  it('is asked for over IPv6 by machines that have no address yet', async () => {
    seen = [];
    const six = (host: string) => curl(host, '-g', 'http://[fe80::a9fe:a9fe%25eth0]/latest/meta-data?x=2');
    // The hosts' own addresses are theirs after a second (RFC 4862 §5.4).
    expect(await until(async () => (await six('six')) === 'hello|200', 10_000)).toBe(true);
    expect(seen[0]?.headers).toMatchObject({
      'x-instance-id': 'instance-6',
      'x-forwarded-for': 'fe80::f816:3eff:fe00:a06',
    });
    expect(await until(async () => (await six('stranger')).endsWith('|404'), 10_000)).toBe(true);
    expect(seen).toHaveLength(1);
  });

  it('takes no large bodies', async () => {
    expect(await curl('a1', '-d', 'x'.repeat(100_000), URL)).toMatch(/\|413$/);
    expect(await curl('a1', '-H', 'Transfer-Encoding: chunked', '-d', 'x'.repeat(100_000), URL)).toMatch(
      /\|(413|000)$/,
    );
  });

  it('is asked for once in a while, by each instance for itself', async () => {
    seen = [];
    const page = 'http://169.254.169.254/latest/meta-data/';
    expect(await curl('a1', '-i', page)).not.toMatch(/^age:/im);
    expect(await curl('a1', '-i', page)).toMatch(/^age: 0\r$[\s\S]*hello\|200$/im);
    expect(await curl('many', '--interface', '10.1.1.1', page)).toBe('hello|200');
    expect(seen.map(({ headers }) => headers['x-instance-id'])).toEqual(['instance-1', 'many-0']);
    // Not what could not be had, nor a password, nor anything after the instance has changed something.
    for (let index = 0; index < 2; index += 1) {
      await curl('a1', 'http://169.254.169.254/missing');
      await curl('a1', 'http://169.254.169.254/openstack/latest/password');
    }
    expect(seen).toHaveLength(6);
    await curl('a1', '-d', 'encrypted', 'http://169.254.169.254/openstack/latest/password');
    expect(await curl('a1', '-i', page)).not.toMatch(/^age:/im);
    expect(await curl('many', '-i', '--interface', '10.1.1.1', page)).toMatch(/^age:/im);
  });

  it(`costs Nova little when ${MACHINES} machines boot at once`, async () => {
    seen = [];
    connections.most = connections.open;
    const booted = await world.exec('many', [process.execPath, BOOT, String(MACHINES)], { timeout: 30_000 });
    expect(booted.stderr).toBe('');
    // Two stages of cloud-init read ten paths each.
    expect(JSON.parse(booted.stdout)).toEqual({ 200: MACHINES * 20 });
    expect(seen).toHaveLength(MACHINES * 10);
    expect(new Set(seen.map(({ headers, url }) => `${headers['x-instance-id']} ${url}`)).size).toBe(MACHINES * 10);
    expect(connections.most).toBeLessThanOrEqual(32);
  });

  it('turns away who asks too often, and nobody else', async () => {
    await appliance.apply(
      configuration(2, `unix:${join(world.home.runDir, 'nova.sock')}`, { requests_per_second: 1, cache_seconds: 0 }),
    );
    const stormed = await world.exec('many', [process.execPath, BOOT, '1', '20'], { timeout: 30_000 });
    const statuses = JSON.parse(stormed.stdout);
    expect(statuses[429]).toBeGreaterThanOrEqual(90);
    expect(statuses[200] + statuses[429]).toBe(200);
    expect(await curl('many', '-i', '--interface', '10.1.1.1', URL)).toMatch(/retry-after: 1[\s\S]*\|429$/i);
    expect(await curl('a1', URL)).toBe('hello|200');
  });

  it('is not kept from others by who opens connections and says nothing', async () => {
    const idle = await world.background('many', [process.execPath, IDLE, '10.1.1.2', '60']);
    expect(await until(() => idle.output().includes('closed 28'), 5_000)).toBe(true);
    expect(await curl('a1', URL)).toBe('hello|200');
    const metadata = (await appliance.status()).find(({ name }) => name === 'metadata');
    expect(metadata).toMatchObject({ running: true });
    idle.kill();
  });

  it('is away when its upstream is', async () => {
    await appliance.apply(configuration(3, 'unix:/nowhere.sock'));
    expect(await curl('a1', URL)).toMatch(/\|503$/);
  });

  it('answers again after the next agent has adopted', async () => {
    await appliance.apply(configuration(4, `unix:${join(world.home.runDir, 'nova.sock')}`));
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await curl('a1', URL)).toBe('hello|200');
  });
});
