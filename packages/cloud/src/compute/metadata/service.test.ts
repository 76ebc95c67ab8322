import { createHmac } from 'node:crypto';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { networkRow, portRow } from '../../network/plain-rows.ts';
import type { ServerRow } from '../../store/rows.ts';
import { Store } from '../../store/store.ts';
import { MetadataService } from './service.ts';

const SECRET = 'between us';
let store: Store;
let service: MetadataService;
let url: string;
let server: ServerRow;

beforeEach(async () => {
  store = new Store();
  service = new MetadataService({
    store,
    log: pino({ level: 'silent' }),
    sharedSecret: SECRET,
    host: '127.0.0.1',
    port: 0,
  });
  url = await service.start();
  server = store.transaction(() => {
    const network = store.networks.put(networkRow());
    const id = '11112222-3333-4444-5555-666677778888';
    const fixed_ips = [{ subnet_id: 's', ip_address: '10.1.0.5' }];
    const port = store.ports.put(portRow(network, { device_id: id, fixed_ips }));
    const now = '2026-01-01T00:00:00Z';
    store.keypairs.put({
      id: 'user/k',
      name: 'k',
      user_id: 'user',
      public_key: 'ssh-rsa KEY',
      fingerprint: '',
      created_at: now,
    });
    return store.servers.put({
      id,
      name: 'Web 1',
      project_id: 'project',
      user_id: 'user',
      status: 'ACTIVE',
      power: 'on',
      host: 'here',
      flavor_id: '1',
      image_id: 'aaaabbbb-0000-0000-0000-000000000000',
      user_data: Buffer.from('#!/bin/sh\necho hello\n').toString('base64'),
      key_name: 'k',
      metadata: { role: 'web' },
      ports: [{ id: port.id, kept: false }],
      fault: null,
      created_at: now,
      updated_at: now,
      launched_at: now,
    });
  });
});
afterEach(() => service.stop());

const sign = (id: string) => createHmac('sha256', SECRET).update(id).digest('hex');

async function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const signed = { 'x-instance-id': server.id, 'x-tenant-id': 'project', 'x-instance-id-signature': sign(server.id) };
  const answer = await fetch(`${url}${path}`, { headers: { ...signed, ...headers } });
  return { status: answer.status, text: await answer.text() };
}

test('a signed request gets what is of its server', async () => {
  const { status, text } = await get('/openstack/latest/meta_data.json');
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({
    uuid: server.id,
    name: 'Web 1',
    hostname: 'web-1.novalocal',
    project_id: 'project',
    meta: { role: 'web' },
    public_keys: { k: 'ssh-rsa KEY' },
  });
  expect((await get('/openstack/latest/user_data')).text).toBe('#!/bin/sh\necho hello\n');
  expect((await get('/latest/user-data')).text).toBe('#!/bin/sh\necho hello\n');
  expect((await get('/latest/meta-data/local-ipv4')).text).toBe('10.1.0.5');
  expect((await get('/latest/meta-data/placement/availability-zone')).text).toBe('nova');
  expect((await get('/2009-04-04/meta-data/instance-id')).text).toBe('i-11112222');
});

test('directories are listed', async () => {
  expect((await get('/')).text.split('\n')).toContain('latest');
  expect((await get('/latest')).text.split('\n')).toEqual(['meta-data/', 'user-data']);
  expect((await get('/latest/meta-data/')).text.split('\n')).toEqual(
    expect.arrayContaining(['hostname', 'placement/', 'public-keys/']),
  );
  expect((await get('/openstack')).text.split('\n')).toContain('latest');
  expect((await get('/openstack/latest/')).text.split('\n')).toContain('meta_data.json');
});

test.each([
  ['an unsigned one', { 'x-instance-id-signature': '' }, 400],
  ['one without an instance', { 'x-instance-id': '' }, 400],
  ['one without a tenant', { 'x-tenant-id': '' }, 400],
  ['one signed for another', { 'x-instance-id-signature': sign('another') }, 403],
  ['one of another project', { 'x-tenant-id': 'another' }, 404],
  ['an unknown instance', { 'x-instance-id': 'none', 'x-instance-id-signature': sign('none') }, 404],
])('%s is refused', async (_, headers, status) => {
  const answer = await get('/latest/meta-data/hostname', headers);
  expect(answer.status).toBe(status);
  expect(answer.text).not.toContain('web-1');
});

test('what is not there is not found, also by names that every object has', async () => {
  for (const path of ['/latest/meta-data/none', '/latest/constructor', '/latest/meta-data/hostname/more'])
    expect((await get(path)).status).toBe(404);
});
