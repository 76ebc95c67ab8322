import { LocalBus } from '@astara/messaging/local/bus.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from './testing/cloud.ts';
import { hasOpenstack, OpenstackClient } from './testing/openstack.ts';

/** The `openstack` client: what it makes, lists, shows, changes and deletes. */

let cloud: TestCloud;
let client: OpenstackClient;
const bus = new LocalBus();
const messaging = bus.connect('cloud');
const agent = bus.connect('agent');

beforeAll(async () => {
  cloud = await TestCloud.start({ messaging });
  client = new OpenstackClient(cloud, ['admin', 'demo']);
});
afterAll(async () => {
  await client.close();
  await cloud.stop();
  await Promise.all([messaging.close(), agent.close()]);
});

const openstack = (command: string, user?: string) => client.run(command, user);
const json = (command: string, user?: string) => client.json(command, user);

describe.skipIf(!hasOpenstack)('the openstack client', { timeout: 180_000 }, () => {
  test('networks, subnets, ports: create, list, show, set, delete', async () => {
    const network = await json('network create blue --mtu 1400');
    expect(network).toMatchObject({ name: 'blue', mtu: 1400, status: 'ACTIVE' });
    await openstack('subnet create --network blue --subnet-range 10.1.0.0/24 --dns-nameserver 9.9.9.9 blue4');
    await openstack('network set --name green --tag t blue');
    expect(await json('network list --tags t')).toMatchObject([{ ID: network.id, Name: 'green' }]);
    await openstack('subnet set --name green4 --no-dhcp blue4');
    expect(await json('subnet show green4')).toMatchObject({ enable_dhcp: false, dns_nameservers: ['9.9.9.9'] });
    const fixed = '--fixed-ip subnet=green4,ip-address=10.1.0.50';
    expect(await json(`port create --network green ${fixed} p`)).toMatchObject({
      fixed_ips: [{ ip_address: '10.1.0.50' }],
    });
    await openstack('port set --allowed-address ip-address=10.9.9.9 p');
    expect(await json('port list --network green --fixed-ip ip-address=10.1.0.50')).toMatchObject([{ Name: 'p' }]);
    expect(await json('port show p')).toMatchObject({ allowed_address_pairs: [{ ip_address: '10.9.9.9' }] });
    await expect(openstack('network delete green')).rejects.toThrow(/still in use/);
    await openstack('port delete p');
    await openstack('subnet delete green4');
    await openstack('network delete green');
    expect(await json('network list')).toEqual([]);
  });

  test('security groups, quotas, agents', async () => {
    await openstack('security group create sg');
    await openstack('security group rule create --protocol tcp --dst-port 22 sg');
    await openstack('security group set --name web sg');
    expect(await json('security group rule list web')).toHaveLength(3);
    await openstack('security group delete web');
    expect(await json('quota show')).toMatchObject({ networks: -1 });
    const report = { agent_type: 'L3 agent', binary: 'astara', topic: 'l3_agent', host: 'node1' };
    const target = { topic: 'q-reports-plugin', version: '1.2' };
    const state = { agent_state: { agent_state: { ...report, availability_zone: 'nova' } } };
    await agent.call(target, 'report_state', state, { timeout: 10_000 });
    expect(await json('network agent list')).toMatchObject([{ Host: 'node1', Alive: true, State: true }]);
    const [{ ID: id }] = await json('network agent list');
    await openstack(`network agent set --disable ${id}`);
    expect(await json(`network agent show ${id}`)).toMatchObject({ admin_state_up: false });
    await openstack(`network agent delete ${id}`);
    expect(await json('network agent list')).toEqual([]);
  });

  test('projects, users and roles: the new user sees its project only', async () => {
    await openstack('network create hidden');
    await openstack('project create red');
    await openstack('user create --password secret --project red u');
    await openstack('role add --user u --project red member');
    expect(await json('role assignment list --user u --names')).toMatchObject([{ Project: 'red@Default' }]);
    expect(await json('catalog list')).toHaveLength(4);
    expect(await json('token issue', 'demo')).toMatchObject({ id: expect.stringMatching(/^gAAAAAB/) });
    expect(await json('network list', 'demo')).toEqual([]);
  });
});
