import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCloud } from '../testing/cloud.ts';
import { TestHost } from '../testing/host.ts';
import { hasOpenstack, OpenstackClient } from '../testing/openstack.ts';
import { until } from '../testing/until.ts';

/** The real, unmodified `openstack` client, and servers that are namespaces. */

let host: TestHost;
let cloud: TestCloud;
let client: OpenstackClient;

beforeAll(async () => {
  host = await TestHost.make();
  cloud = await TestCloud.start({ plane: { kind: 'devices', ...host } });
  client = new OpenstackClient(cloud, ['admin']);
});

afterAll(async () => {
  await client.close();
  await cloud.stop();
  await host.remove();
});

const openstack = (command: string) => client.run(command);
const json = (command: string) => client.json(command);

test.skipIf(!hasOpenstack)(
  'the openstack client creates, shows, stops, starts and deletes servers',
  { timeout: 120_000 },
  async () => {
    await openstack('network create blue');
    await openstack('subnet create --network blue --subnet-range 10.1.0.0/24 blue4');
    await openstack('keypair create mine');
    const key = '--key-name mine --property a=b';
    const made = await json(`server create --flavor tiny --image cirros --network blue ${key} --wait web`);
    expect(made).toMatchObject({ name: 'web', status: 'ACTIVE', key_name: 'mine', properties: { a: 'b' } });
    expect(made.addresses.blue).toHaveLength(1);
    expect(made.flavor).toContain('tiny');
    expect(made.image).toContain('cirros');
    expect(await json('server list')).toMatchObject([
      { Name: 'web', Status: 'ACTIVE', Networks: { blue: made.addresses.blue }, Image: 'cirros', Flavor: 'tiny' },
    ]);
    expect(await openstack('console log show web')).toContain('boots in namespace vm-');
    const row = () => cloud.cloud.store.servers.all()[0];
    await openstack('server stop web');
    await until(() => row()?.status === 'SHUTOFF');
    await openstack('server start web');
    await until(() => row()?.status === 'ACTIVE');
    await openstack('server set --name db web');
    await openstack('server delete --wait db');
    expect(await json('server list')).toEqual([]);
    expect(await json('port list')).toEqual([]);
  },
);

test.skipIf(!hasOpenstack)('the openstack client lists what servers are made of', { timeout: 60_000 }, async () => {
  const [flavors, image, zones, hypervisors] = await Promise.all([
    json('flavor list'),
    json('image show cirros'),
    json('availability zone list --compute'),
    json('hypervisor list'),
  ]);
  expect(flavors).toMatchObject([{ Name: 'tiny', RAM: 64 }, { Name: 'small' }]);
  expect(image).toMatchObject({ name: 'cirros', status: 'active' });
  expect(zones).toMatchObject([{ 'Zone Name': 'nova', 'Zone Status': 'available' }]);
  expect(hypervisors).toMatchObject([{ 'Hypervisor Hostname': 'cloud1', State: 'up' }]);
});
