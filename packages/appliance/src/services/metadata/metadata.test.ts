import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Appliance } from '../../appliance.ts';
import { allocation, config, network, subnet } from '../../testing/configs.ts';
import { World } from '../../testing/world.ts';

let world: World;
let appliance: Appliance;
let nova: Server;
let seen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];

const TENANT = 'dead-beef';

function configuration(generation: number, endpoint: string) {
  return config(
    [
      network('internal', 'qr-a', ['10.1.0.1/24'], {
        subnets: [subnet('10.1.0.0/24', '10.1.0.1')],
        allocations: [
          allocation('fa:16:3e:00:0a:01', { '10.1.0.10': true }, { device_id: 'instance-1', tenant_id: TENANT }),
        ],
      }),
    ],
    { generation, metadata: { endpoint } },
  );
}

async function curl(host: string, ...more: string[]): Promise<string> {
  const argv = ['curl', '-s', '-m', '5', '-w', '|%{http_code}', ...more];
  return (await world.exec(host, argv)).stdout;
}

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
  const { promise, resolve } = Promise.withResolvers<void>();
  nova.listen(join(world.home.runDir, 'nova.sock'), resolve);
  await promise;
  await world.segment('neta', 'qr-a');
  await world.host('a1', 'neta', { addresses: ['10.1.0.10/24'], gateway: '10.1.0.1' });
  await world.host('a2', 'neta', { addresses: ['10.1.0.11/24'], gateway: '10.1.0.1' });
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

  it('takes no large bodies', async () => {
    expect(await curl('a1', '-d', 'x'.repeat(100_000), URL)).toMatch(/\|413$/);
    expect(await curl('a1', '-H', 'Transfer-Encoding: chunked', '-d', 'x'.repeat(100_000), URL)).toMatch(
      /\|(413|000)$/,
    );
  });

  it('is away when its upstream is', async () => {
    await appliance.apply(configuration(2, 'unix:/nowhere.sock'));
    expect(await curl('a1', URL)).toMatch(/\|503$/);
  });

  it('answers again after the next agent has adopted', async () => {
    await appliance.apply(configuration(3, `unix:${join(world.home.runDir, 'nova.sock')}`));
    await appliance.close();
    appliance = await Appliance.adopt(world.home, { stateFile: world.stateFile });
    expect(await curl('a1', URL)).toBe('hello|200');
  });
});
