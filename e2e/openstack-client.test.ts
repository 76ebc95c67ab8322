import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Cloud } from '@astara/openstack/cloud.ts';
import { Collection } from '@astara/openstack/collection.ts';
import { OpenStackError } from '@astara/openstack/errors.ts';
import { findCloud, type KeystoneSettings } from '@astara/openstack/find-cloud.ts';
import { Neutron } from '@astara/openstack/neutron.ts';
import { RestClient } from '@astara/openstack/rest-client.ts';
import { Session } from '@astara/openstack/session.ts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LAB_DIRECTORY, LAB_PASSWORD } from './lib/lab.ts';

/** Our Keystone session and Neutron client against the lab's Keystone and Neutron. No agent is needed. */
const CLOUDS = join(LAB_DIRECTORY, 'clouds.yaml');
const PREFIX = `e2e-client-${process.pid}-`;
const KEYSTONE = 'http://127.0.0.1:5000';
const soon = () => AbortSignal.timeout(30_000);

const unset: KeystoneSettings = {
  cloud: null,
  auth_url: null,
  username: null,
  password: null,
  project_name: null,
  user_domain_name: 'Default',
  project_domain_name: 'Default',
  application_credential_id: null,
  application_credential_secret: null,
  region_name: null,
  interface: null,
  network_endpoint_override: null,
  cafile: null,
  insecure: false,
};
const secret = (text: string) => ({ reveal: () => text });
const section: KeystoneSettings = {
  ...unset,
  auth_url: KEYSTONE,
  username: 'astara',
  password: secret(LAB_PASSWORD),
  project_name: 'service',
};

const sessions: Session[] = [];
function login(cloud: Cloud): Session {
  const session = new Session(cloud);
  sessions.push(session);
  return session;
}
const named = (cloud: string) => login(findCloud({ ...unset, cloud }, { env: { OS_CLIENT_CONFIG_FILE: CLOUDS } }));
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

async function failure(work: Promise<unknown>): Promise<OpenStackError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenStackError)) throw new Error(`no OpenStackError but ${error}`);
  return error;
}

const up = existsSync(CLOUDS);

describe.skipIf(!up)(
  `OpenStack client (skipped without a lab: ${CLOUDS} is missing; start one with ./run lab up)`,
  () => {
    describe('login', () => {
      test('by clouds.yaml, by the section, by the environment, by an application credential', async () => {
        const byFile = await named('astara').token(soon());
        expect(byFile.roles).toContain('admin');
        expect((await login(findCloud(section, { env: {} })).token(soon())).projectId).toBe(byFile.projectId);
        const env = {
          OS_AUTH_URL: `${KEYSTONE}/v3`,
          OS_USERNAME: 'astara',
          OS_PASSWORD: LAB_PASSWORD,
          OS_PROJECT_NAME: 'service',
          OS_USER_DOMAIN_NAME: 'Default',
          OS_PROJECT_DOMAIN_NAME: 'Default',
        };
        expect((await login(findCloud(unset, { env })).token(soon())).userId).toBe(byFile.userId);

        const keystone = new RestClient(named('astara'), { type: 'identity', name: 'Keystone', prefix: '/v3' });
        const path = `/users/${byFile.userId}/application_credentials`;
        const body = { application_credential: { name: `${PREFIX}credential`, roles: [{ name: 'admin' }] } };
        const made = (await keystone.request({ method: 'POST', path, body })) as {
          application_credential: { id: string; secret: string };
        };
        const { id, secret: key } = made.application_credential;
        try {
          const settings = { ...unset, application_credential_id: id, application_credential_secret: secret(key) };
          const byCredential = login(findCloud({ ...settings, auth_url: KEYSTONE }, { env: {} }));
          expect((await byCredential.token(soon())).projectId).toBe(byFile.projectId);
          await new Neutron(byCredential).agents.list();
        } finally {
          await keystone.request({ method: 'DELETE', path: `${path}/${id}` });
        }
      });

      test('refused: wrong password, wrong user, wrong project', async () => {
        for (const wrong of [{ password: secret('hunter2') }, { username: 'nobody' }, { project_name: 'nothing' }]) {
          const error = await failure(login(findCloud({ ...section, ...wrong }, { env: {} })).token(soon()));
          expect(error).toMatchObject({ code: 'OPENSTACK_AUTH_REFUSED', retry: 'operator', httpStatus: 401 });
          expect(error.remedy).toContain('[keystone] password');
          expect(`${error.stack}${error.remedy}`).not.toContain('hunter2');
        }
      });

      test('not Keystone, and nothing at all', async () => {
        const token = (auth_url: string) =>
          login(findCloud({ ...section, auth_url }, { env: {} })).token(AbortSignal.timeout(1_000));
        expect((await failure(token('http://127.0.0.1:9696'))).code).toBe('OPENSTACK_KEYSTONE_WRONG_URL');
        expect((await failure(token('http://127.0.0.1:5999'))).message).toContain('ECONNREFUSED 127.0.0.1:5999');
      });

      test('a region that the catalog does not have', async () => {
        const session = login(findCloud({ ...section, region_name: 'Nowhere' }, { env: {} }));
        const error = await failure(session.endpoint('network', soon()));
        expect(error.message).toContain('internal in RegionOne');
      });

      test('a token that is revoked is renewed when Neutron refuses it', async () => {
        const session = named('astara');
        const token = await session.token(soon());
        const { status } = await session.transport.send({
          method: 'DELETE',
          url: `${KEYSTONE}/v3/auth/tokens`,
          headers: { 'x-auth-token': token.id, 'x-subject-token': token.id },
          signal: soon(),
        });
        expect(status).toBe(204);
        await new Neutron(session).networks.list({ fields: ['name'] });
        expect((await session.token(soon())).id).not.toBe(token.id);
      });
    });

    describe('Neutron', () => {
      let network = '';
      let subnet = '';
      beforeAll(async () => {
        const neutron = new Neutron(named('lab'));
        network = (await neutron.networks.create({ name: `${PREFIX}net` })).id;
        // Without DHCP: an agent's port would be one more than ours.
        const cidr = '10.199.0.0/24';
        const body = { network_id: network, name: `${PREFIX}subnet`, cidr, ip_version: 4, enable_dhcp: false };
        subnet = (await neutron.subnets.create(body)).id;
      });
      afterAll(async () => {
        const session = new Session(findCloud({ ...unset, cloud: 'lab' }, { env: { OS_CLIENT_CONFIG_FILE: CLOUDS } }));
        try {
          const neutron = new Neutron(session);
          if (network === '') return;
          for (const { id } of await neutron.ports.list({ filters: { network_id: network } }))
            await neutron.ports.delete(id);
          await neutron.networks.delete(network);
          await neutron.networks.delete(network);
        } finally {
          await session.close();
        }
      });
      const makePorts = (neutron: Neutron, count: number, prefix: string) =>
        neutron.client
          .request({
            method: 'POST',
            path: '/ports',
            body: {
              ports: Array.from({ length: count }, (_, index) => ({
                network_id: network,
                name: `${PREFIX}${prefix}${index}`,
              })),
            },
          })
          .then((answer) => (answer as { ports: { id: string }[] }).ports.map(({ id }) => id));

      test('a port: made, changed, found, deleted', async () => {
        const { ports } = new Neutron(named('lab'));
        const made = await ports.create({
          network_id: network,
          name: `${PREFIX}one`,
          device_owner: 'network:dhcp',
          device_id: 'x',
          fixed_ips: [{ subnet_id: subnet, ip_address: '10.199.0.77' }],
          extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400' }],
        });
        expect(made).toMatchObject({
          network_id: network,
          admin_state_up: true,
          fixed_ips: [{ subnet_id: subnet, ip_address: '10.199.0.77' }],
          extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1400', ip_version: 4 }],
          'binding:vif_type': 'unbound',
          revision_number: expect.any(Number),
        });
        const changed = await ports.update(made.id, { name: `${PREFIX}two` });
        expect(changed.revision_number).toBeGreaterThan(made.revision_number);
        expect(await ports.get(made.id)).toEqual(changed);
        const filters = { network_id: network, device_owner: ['network:dhcp', 'network:nothing'] };
        expect(await ports.list({ filters, fields: ['mac_address'] })).toEqual([
          { id: made.id, mac_address: made.mac_address },
        ]);
        await ports.delete(made.id);
        await ports.delete(made.id);
        expect(await failure(ports.get(made.id))).toMatchObject({
          code: 'OPENSTACK_NOT_FOUND',
          type: 'PortNotFound',
          requestId: expect.stringMatching(/^req-/),
        });
      });

      test('pages, also when the object that a page ended with is deleted meanwhile', async () => {
        const neutron = new Neutron(named('lab'));
        const made = await makePorts(neutron, 16, 'page');
        const filters = { network_id: network };
        expect((await neutron.ports.list({ filters, pageSize: 5 })).map(({ id }) => id).sort()).toEqual(
          made.toSorted(),
        );
        const others = Array.from({ length: 100 }, () => randomUUID());
        expect(await neutron.ports.list({ filters: { id: [...others, ...made] }, fields: ['id'] })).toHaveLength(16);

        // Between the first page and the second: the client asks, and before it asks again the marker is gone.
        const asked: unknown[] = [];
        let deleted = '';
        const between = new Collection<{ id: string }>(
          Object.assign(Object.create(neutron.client) as RestClient, {
            request: async (request: Parameters<RestClient['request']>[0]) => {
              if (request.query?.marker !== undefined && deleted === '') {
                deleted = String(request.query.marker);
                await neutron.ports.delete(deleted);
              }
              asked.push(request.query?.marker);
              return neutron.client.request(request);
            },
          }),
          'port',
        );
        const found = (await between.list({ filters, pageSize: 5 })).map(({ id }) => id);
        expect(found).toEqual(expect.arrayContaining(made.filter((id) => id !== deleted)));
        // Neutron no longer knows the marker, and the list begins again.
        expect(asked.slice(0, 3)).toEqual([undefined, deleted, undefined]);
        for (const id of made) await neutron.ports.delete(id);
      });

      test('objects have what their types say', async () => {
        const neutron = new Neutron(named('lab'));
        const [external] = await neutron.networks.list({ filters: { name: 'ext' } });
        expect(external).toMatchObject({ 'router:external': true, mtu: 1500, subnets: expect.any(Array) });
        const [own] = await neutron.subnets.list({ filters: { network_id: network } });
        expect(own).toMatchObject({
          cidr: '10.199.0.0/24',
          ip_version: 4,
          gateway_ip: '10.199.0.1',
          ipv6_ra_mode: null,
          host_routes: [],
          dns_nameservers: [],
          enable_dhcp: false,
          tags: [],
        });
        const router = await neutron.routers.create({
          name: `${PREFIX}router`,
          external_gateway_info: { network_id: external?.id },
        });
        try {
          expect(router).toMatchObject({ ha: false, distributed: false, routes: [], flavor_id: null });
          expect(router.external_gateway_info?.external_fixed_ips[0]).toMatchObject({ ip_address: expect.any(String) });
          const fip = await neutron.floatingips.create({ floating_network_id: external?.id, description: PREFIX });
          expect(fip).toMatchObject({ port_id: null, router_id: null, fixed_ip_address: null, status: 'DOWN' });
          await neutron.floatingips.delete(fip.id);
          const agents = await neutron.agents.list({ filters: { agent_type: 'Linux bridge agent' } });
          expect(agents[0]).toMatchObject({ host: expect.any(String), alive: expect.any(Boolean) });
        } finally {
          await neutron.routers.delete(router.id);
        }
      });

      test('conflict, quota, policy, nonsense', async () => {
        const neutron = new Neutron(named('lab'));
        const port = await neutron.ports.create({ network_id: network });
        const taken = { network_id: network, fixed_ips: port.fixed_ips };
        expect(await failure(neutron.ports.create(taken))).toMatchObject({
          code: 'OPENSTACK_CONFLICT',
          type: 'IpAddressAlreadyAllocated',
        });
        await neutron.ports.delete(port.id);

        const tenant_id = `${PREFIX}project`;
        await neutron.client.request({ method: 'PUT', path: `/quotas/${tenant_id}`, body: { quota: { network: 0 } } });
        try {
          const error = await failure(neutron.networks.create({ tenant_id }));
          expect(error).toMatchObject({ code: 'OPENSTACK_QUOTA', retry: 'operator', type: 'OverQuota' });
        } finally {
          await neutron.client.request({ method: 'DELETE', path: `/quotas/${tenant_id}` });
        }

        const demo = new Neutron(named('demo'));
        expect(await failure(demo.networks.create({ shared: true }))).toMatchObject({ code: 'OPENSTACK_FORBIDDEN' });
        const nonsense = { network_id: network, ip_version: 4, cidr: 'x' };
        expect(await failure(neutron.subnets.create(nonsense))).toMatchObject({ code: 'OPENSTACK_BAD_REQUEST' });
      });
    });
  },
);
