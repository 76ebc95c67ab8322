import { afterEach, beforeEach, expect, test } from 'vitest';
import { networkRow, portRow, subnetRow } from '../../network/plain-rows.ts';
import type { NetworkRow } from '../../store/rows.ts';
import { type TestNova, testNova } from '../../testing/nova.ts';
import { until } from '../../testing/until.ts';
import { images } from '../catalog.ts';

let cloud: TestNova;
beforeEach(async () => {
  cloud = await testNova();
});
afterEach(() => cloud.stop());

const imageRef = images[0]?.id;
const V = '/compute/v2.1';

function network(given: Partial<NetworkRow> = {}): NetworkRow {
  return cloud.store.transaction(() => {
    const row = cloud.store.networks.put(networkRow({ project_id: cloud.project, ...given }));
    cloud.store.subnets.put(
      subnetRow(row, '10.1.0.0/24', { allocation_pools: [{ start: '10.1.0.10', end: '10.1.0.99' }] }),
    );
    return row;
  });
}

const create = (fields: object) =>
  cloud.ask('POST', `${V}/servers`, { server: { name: 'web', flavorRef: '1', imageRef, ...fields } });

/** What Nova shows of it once it is `status`. */
const shown = (id: string, status: string) =>
  until(async () => {
    const { body } = await cloud.ask('GET', `${V}/servers/${id}`);
    return body.server.status === status && body.server;
  });

async function createdOn(net: NetworkRow, fields: object = {}): Promise<string> {
  const { status, body } = await create({ networks: [{ uuid: net.id }], ...fields });
  expect(status).toBe(202);
  return body.server.id;
}

test('versions are told without a token; everything else needs one', async () => {
  const { body } = await cloud.ask('GET', '/compute/', undefined, '');
  expect(body.versions[0]).toMatchObject({ id: 'v2.1', version: '2.1', min_version: '2.1' });
  expect((await cloud.ask('GET', `${V}/`, undefined, '')).body.version).toMatchObject({ id: 'v2.1' });
  expect(await cloud.ask('GET', `${V}/servers`, undefined, '')).toMatchObject({
    status: 401,
    body: { unauthorized: { code: 401 } },
  });
});

test('a server gets a port on its network and becomes ACTIVE with it', async () => {
  const net = network({ name: 'blue' });
  const id = await createdOn(net, { metadata: { a: 'b' }, user_data: 'IyEvYmluL3NoCg==' });
  const server = await shown(id, 'ACTIVE');
  const [port] = cloud.store.ports.by('device', id);
  expect(port).toMatchObject({
    device_owner: 'compute:nova',
    host_id: 'here',
    status: 'ACTIVE',
    project_id: cloud.project,
  });
  expect(server).toMatchObject({
    id,
    name: 'web',
    tenant_id: cloud.project,
    metadata: { a: 'b' },
    image: { id: imageRef },
    flavor: { id: '1' },
    'OS-EXT-STS:vm_state': 'active',
    'OS-EXT-STS:task_state': null,
    'OS-EXT-STS:power_state': 1,
    'os-extended-volumes:volumes_attached': [],
    security_groups: [{ name: 'default' }],
    addresses: {
      blue: [
        {
          version: 4,
          addr: port?.fixed_ips[0]?.ip_address,
          'OS-EXT-IPS:type': 'fixed',
          'OS-EXT-IPS-MAC:mac_addr': port?.mac_address,
        },
      ],
    },
  });
  expect(server['OS-EXT-SRV-ATTR:host']).toBeUndefined();
  const admin = await cloud.ask('GET', `${V}/servers/${id}`, undefined, 'other/admin/admin');
  expect(admin.body.server['OS-EXT-SRV-ATTR:host']).toBe('here');
});

test('a given port is bound, keeps its place, and is free again when the server is gone', async () => {
  const net = network();
  const free = cloud.store.transaction(() => cloud.store.ports.put(portRow(net)));
  const { body } = await create({ networks: [{ uuid: net.id, fixed_ip: '10.1.0.50' }, { port: free.id }] });
  const id = body.server.id;
  await shown(id, 'ACTIVE');
  const [own, given] = (await cloud.ask('GET', `${V}/servers/${id}/os-interface`)).body.interfaceAttachments;
  expect(own.fixed_ips).toMatchObject([{ ip_address: '10.1.0.50' }]);
  expect(given.port_id).toBe(free.id);
  expect(await create({ networks: [{ port: free.id }] })).toMatchObject({
    status: 409,
    body: { conflictingRequest: { message: `Port ${free.id} is still in use.` } },
  });

  expect((await cloud.ask('DELETE', `${V}/servers/${id}`)).status).toBe(204);
  expect((await cloud.ask('GET', `${V}/servers/${id}`)).status).toBe(404);
  expect(cloud.store.ports.all()).toHaveLength(1);
  expect(cloud.store.ports.get(free.id)).toMatchObject({ device_id: '', device_owner: '', host_id: '' });
});

test('what cannot be made leaves nothing behind', async () => {
  const net = network();
  const refused = async (fields: object, status: number, key: string, message: string | RegExp) => {
    const answer = await create({ networks: [{ uuid: net.id }], ...fields });
    expect(answer).toMatchObject({
      status,
      body: { [key]: { code: status, message: expect.stringMatching(message) } },
    });
  };
  await refused({ flavorRef: '99' }, 404, 'itemNotFound', 'Flavor 99 could not be found.');
  await refused({ imageRef: 'none' }, 400, 'badRequest', 'Can not find requested image');
  await refused({ key_name: 'none' }, 400, 'badRequest', 'Invalid key_name provided.');
  await refused(
    { networks: [{ uuid: net.id }, { uuid: 'none' }] },
    400,
    'badRequest',
    'Network none could not be found',
  );
  await refused({ networks: [{ uuid: net.id }, { port: 'none' }] }, 400, 'badRequest', 'Port none could not be found');
  await refused({ networks: [{ uuid: net.id, fixed_ip: '10.9.9.9' }] }, 400, 'badRequest', '10.9.9.9');
  await refused({ networks: 'auto' }, 400, 'badRequest', 'networks');
  await refused({ security_groups: [{ name: 'none' }] }, 400, 'badRequest', 'Security group none not found');
  await refused({ name: '' }, 400, 'badRequest', 'name');
  const external = network({ external: true, project_id: 'another' });
  await refused({ networks: [{ uuid: external.id }] }, 403, 'forbidden', 'external network');
  const hidden = network({ project_id: 'another' });
  await refused({ networks: [{ uuid: hidden.id }] }, 400, 'badRequest', 'could not be found');
  expect(cloud.store.ports.size).toBe(0);
  expect(cloud.store.servers.size).toBe(0);
});

test('a server that names no network gets the only one, or must choose', async () => {
  expect((await create({})).status).toBe(202);
  const net = network();
  network({ external: true });
  const { body } = await create({});
  expect(cloud.store.ports.by('device', body.server.id)).toMatchObject([{ network_id: net.id }]);
  network();
  expect(await create({})).toMatchObject({ status: 409, body: { conflictingRequest: { code: 409 } } });
});

test('stop and start; neither twice', async () => {
  const id = await createdOn(network());
  const act = async (action: string) =>
    (await cloud.ask('POST', `${V}/servers/${id}/action`, { [action]: null })).status;
  await shown(id, 'ACTIVE');
  expect(await act('os-start')).toBe(409);
  expect(await act('os-stop')).toBe(202);
  expect(await shown(id, 'SHUTOFF')).toMatchObject({ 'OS-EXT-STS:vm_state': 'stopped', 'OS-EXT-STS:power_state': 4 });
  expect(await act('os-stop')).toBe(409);
  expect(await act('os-start')).toBe(202);
  await shown(id, 'ACTIVE');
  expect(await act('rebuild')).toBe(400);
  const log = await cloud.ask('POST', `${V}/servers/${id}/action`, { 'os-getConsoleOutput': { length: 2 } });
  expect(log.body.output).toMatch(/^halted\n.*is up.*\n$/);
});

test('projects see their own; administrators see all when they ask for all', async () => {
  const id = await createdOn(network());
  const other = 'another/user';
  expect((await cloud.ask('GET', `${V}/servers`, undefined, other)).body.servers).toEqual([]);
  for (const method of ['GET', 'DELETE'] as const)
    expect(await cloud.ask(method, `${V}/servers/${id}`, undefined, other)).toMatchObject({
      status: 404,
      body: { itemNotFound: { code: 404, message: `Instance ${id} could not be found.` } },
    });
  const all = (token: string) => cloud.ask('GET', `${V}/servers?all_tenants=True`, undefined, token);
  expect((await all('another/admin/admin')).body.servers).toMatchObject([{ id }]);
  expect((await all(other)).body.servers).toEqual([]);
});

test('lists are filtered by name and status, and paged', async () => {
  const net = network();
  for (const name of ['web-1', 'web-2', 'db']) await shown(await createdOn(net, { name }), 'ACTIVE');
  const names = async (query: string) =>
    (await cloud.ask('GET', `${V}/servers/detail?${query}`)).body.servers.map(
      (server: { name: string }) => server.name,
    );
  expect(await names('')).toEqual(['db', 'web-2', 'web-1']);
  expect(await names(`name=${encodeURIComponent('^web')}`)).toEqual(['web-2', 'web-1']);
  expect(await names('status=shutoff')).toEqual([]);
  const { body } = await cloud.ask('GET', `${V}/servers?limit=1`);
  expect(await names(`marker=${body.servers[0].id}&limit=1`)).toEqual(['web-2']);
});

test('a server whose machine cannot run is in ERROR and says why', async () => {
  await cloud.stop();
  cloud = await testNova({
    hypervisor: {
      start: async () => undefined,
      list: async () => [],
      boot: async () => Promise.reject(new Error('no room')),
      halt: async () => undefined,
      destroy: async () => undefined,
      console: async () => '',
      exec: async () => ({ code: 0, stdout: '', stderr: '' }),
      close: () => undefined,
    },
  });
  const server = await shown(await createdOn(network()), 'ERROR');
  expect(server.fault).toMatchObject({ code: 500, message: 'no room' });
});

test('a server whose ports nobody wires is in ERROR in the end', async () => {
  await cloud.stop();
  const idle = { start: async () => {}, reconcile: async () => {}, leave: async () => {}, stop: async () => {} };
  cloud = await testNova({ wiring: () => idle, plugTimeout: 20 });
  const server = await shown(await createdOn(network()), 'ERROR');
  expect(server.fault.message).toBe('Virtual Interface creation failed');
});

test('key pairs are of a user; a made one fits its public half', async () => {
  const made = await cloud.ask('POST', `${V}/os-keypairs`, { keypair: { name: 'mine' } });
  expect(made.body.keypair).toMatchObject({
    name: 'mine',
    private_key: expect.stringContaining('BEGIN RSA PRIVATE KEY'),
  });
  expect(made.body.keypair.public_key).toMatch(/^ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB/);
  expect(made.body.keypair.fingerprint).toMatch(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  expect((await cloud.ask('POST', `${V}/os-keypairs`, { keypair: { name: 'mine' } })).status).toBe(409);
  expect((await cloud.ask('GET', `${V}/os-keypairs`)).body.keypairs).toHaveLength(1);
  expect((await cloud.ask('GET', `${V}/os-keypairs/mine`, undefined, 'p/other')).status).toBe(404);
  expect((await cloud.ask('DELETE', `${V}/os-keypairs/mine`)).status).toBe(202);
  expect((await cloud.ask('GET', `${V}/os-keypairs/mine`)).status).toBe(404);
});

test('flavors, images, the zone and the hypervisor are listed', async () => {
  expect((await cloud.ask('GET', `${V}/flavors/detail`)).body.flavors[0]).toMatchObject({ id: '1', name: 'tiny' });
  expect((await cloud.ask('GET', `${V}/flavors/tiny`)).body).toMatchObject({ itemNotFound: { code: 404 } });
  expect((await cloud.ask('GET', '/image/v2/images?name=cirros')).body.images).toMatchObject([
    { id: imageRef, status: 'active' },
  ]);
  expect((await cloud.ask('GET', '/image/v2/images?name=none')).body.images).toEqual([]);
  expect((await cloud.ask('GET', `${V}/os-availability-zone`)).body.availabilityZoneInfo).toMatchObject([
    { zoneName: 'nova' },
  ]);
  expect((await cloud.ask('GET', `${V}/os-hypervisors/detail`)).body.hypervisors).toMatchObject([
    { hypervisor_hostname: 'here' },
  ]);
});
