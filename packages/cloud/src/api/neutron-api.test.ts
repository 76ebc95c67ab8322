import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCloud } from '../testing/cloud.ts';

/** What the lab's Neutron (Zed) answered to the same requests. */

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await TestCloud.start();
});
afterAll(() => cloud.stop());

const no = (type: string, message: string) => ({ NeutronError: { type, message, detail: '' } });
const badRequest = (message: string) => no('HTTPBadRequest', message);
const invalidInput = (message: string) => no('InvalidInput', `Invalid input for operation: ${message}`);
const missing = '023136aa-11ab-4c28-802d-74e39c81e8b7';

describe('what is wrong with a request is said in Neutron’s words', () => {
  test.each<[string, string, unknown, number, object]>([
    ['GET', 'networks/nope', undefined, 404, no('NetworkNotFound', 'Network nope could not be found.')],
    ['GET', 'nothing', undefined, 404, no('HTTPNotFound', 'The resource could not be found.')],
    ['GET', 'networks/nope/foo', undefined, 404, no('HTTPNotFound', 'The resource could not be found.')],
    ['PUT', 'networks/nope/constructor', {}, 404, no('HTTPNotFound', 'The resource could not be found.')],
    ['POST', 'networks', '{bad', 400, badRequest('Body contains invalid data')],
    ['POST', 'networks', '[]', 400, badRequest('Body contains invalid data')],
    ['POST', 'networks', '', 400, badRequest("Unable to find 'network' in request body")],
    ['POST', 'networks', {}, 400, badRequest("Unable to find 'network' in request body")],
    ['POST', 'networks', { network: [] }, 400, badRequest("Object 'network' contains invalid data")],
    ['POST', 'networks', { networks: [] }, 400, badRequest('Resources required')],
    ['POST', 'networks', { networks: [1] }, 400, badRequest('Body contains invalid data')],
    ['POST', 'networks', { network: { foo: 1, bar: 2 } }, 400, badRequest("Unrecognized attribute(s) 'foo, bar'")],
    [
      'POST',
      'networks',
      '{"network":{"__proto__":{"name":1}}}',
      400,
      badRequest("Unrecognized attribute(s) '__proto__'"),
    ],
    [
      'POST',
      'networks',
      { network: { name: 1 } },
      400,
      badRequest("Invalid input for name. Reason: '1' is not a valid string."),
    ],
    [
      'POST',
      'networks',
      { network: { name: null } },
      400,
      badRequest("Invalid input for name. Reason: 'None' is not a valid string."),
    ],
    [
      'POST',
      'networks',
      { network: { admin_state_up: 'maybe' } },
      400,
      invalidInput("'maybe' cannot be converted to boolean."),
    ],
    ['POST', 'networks', { network: { status: 'x' } }, 400, badRequest("Attribute 'status' not allowed in POST")],
    ['POST', 'networks', { network: { mtu: 'x' } }, 400, invalidInput("'x' is not an integer.")],
    [
      'POST',
      'networks',
      { network: { mtu: -1 } },
      400,
      badRequest("Invalid input for mtu. Reason: '-1' should be non-negative."),
    ],
    ['POST', 'networks', { network: { mtu: 9000 } }, 400, invalidInput('Requested MTU is too big, maximum is 1450.')],
    [
      'POST',
      'networks',
      { network: { project_id: 'a', tenant_id: 'b' } },
      400,
      badRequest("'project_id' and 'tenant_id' do not match"),
    ],
    ['POST', 'networks', { network: { 'provider:segmentation_id': 1 } }, 400, invalidInput('network_type required.')],
    [
      'POST',
      'networks',
      { network: { 'provider:network_type': 'foo' } },
      400,
      invalidInput("network_type value 'foo' not supported."),
    ],
    [
      'POST',
      'subnets',
      { subnet: {} },
      400,
      badRequest("Failed to parse request. Required attribute 'ip_version' not specified"),
    ],
    [
      'POST',
      'subnets',
      { subnet: { network_id: 'x', ip_version: 4 } },
      400,
      badRequest("Invalid input for network_id. Reason: 'x' is not a valid UUID."),
    ],
    [
      'POST',
      'ports',
      { port: { network_id: missing } },
      404,
      no('NetworkNotFound', `Network ${missing} could not be found.`),
    ],
    [
      'PUT',
      `ports/${missing}`,
      { port: { network_id: missing } },
      400,
      badRequest('Cannot update read-only attribute network_id'),
    ],
    ['GET', 'networks?foo=bar', undefined, 400, badRequest("['foo'] is invalid attribute for filtering")],
    ['GET', 'networks?toString=1', undefined, 400, badRequest("['toString'] is invalid attribute for filtering")],
    [
      'GET',
      'networks?limit=x',
      undefined,
      400,
      no('BadRequest', "Bad limit request: Limit must be an integer 0 or greater and not 'x'."),
    ],
    ['GET', 'networks?sort_key=foo', undefined, 400, badRequest('The number of sort_keys and sort_dirs must be same')],
    [
      'GET',
      'ports?sort_key=fixed_ips&sort_dir=asc',
      undefined,
      400,
      badRequest("['fixed_ips'] is invalid attribute for sort_keys"),
    ],
    ['GET', 'networks?admin_state_up=foo', undefined, 400, invalidInput("'foo' cannot be converted to boolean.")],
    ['GET', 'ports?fixed_ips=foo', undefined, 400, invalidInput("'foo' is not of the form <key>=[value].")],
    ['DELETE', 'networks', undefined, 404, no('NetworkNotFound', 'Network None could not be found.')],
    [
      'GET',
      `networks/${missing}/tags`,
      undefined,
      404,
      no('TagResourceNotFound', `Resource networks ${missing} could not be found.`),
    ],
  ])('%s %s %j', async (method, path, body, status, answer) => {
    const reply = await cloud.ask(method, path, body);
    expect([reply.status, reply.body]).toEqual([status, answer]);
    expect(reply.headers.get('x-openstack-request-id')).toMatch(/^req-/);
  });

  test('without a token nothing is said', async () => {
    for (const headers of [{}, { 'x-auth-token': 'bad' }]) {
      const { status, body } = await cloud.send('GET', '/v2.0/networks', undefined, headers);
      expect([status, body.error.title]).toEqual([401, 'Unauthorized']);
    }
  });
});

const below = (href: string) => href.slice(href.indexOf('/v2.0/') + '/v2.0/'.length);

test('a list is paged forth and back, and every page leads to the next', async () => {
  for (const name of ['a', 'b', 'c']) await cloud.make('networks', 'network', { name, description: 'paged' });
  const names = async (path: string): Promise<readonly string[]> => {
    const { body } = await cloud.ask('GET', path);
    const next = body.networks_links?.find(({ rel }) => rel === 'next');
    const page = body.networks.map(({ name }) => name);
    return next === undefined ? page : [...page, ...(await names(below(next.href)))];
  };
  const query = 'networks?description=paged&sort_key=name&sort_dir=desc&fields=name';
  expect(await names(`${query}&limit=1`)).toEqual(['c', 'b', 'a']);
  expect(await names(`${query}&limit=2`)).toEqual(['c', 'b', 'a']);
  expect(await names(query)).toEqual(['c', 'b', 'a']);
  const { body } = await cloud.ask('GET', `${query}&limit=1&page_reverse=True`);
  expect(body.networks).toEqual([{ name: 'a' }]);
  const previous = body.networks_links?.find(({ rel }) => rel === 'previous');
  const before = await cloud.ask('GET', below(previous?.href ?? ''));
  expect(before.body.networks).toEqual([{ name: 'b' }]);
});

test('filters: repeated values, booleans, tags, fixed IPs', async () => {
  const network = await cloud.make('networks', 'network', { name: 'f1' });
  await cloud.make('networks', 'network', { name: 'f2', admin_state_up: false });
  const found = async (query: string) =>
    (await cloud.ask('GET', `networks?${query}`)).body.networks.map(({ name }) => name).toSorted();
  expect(await found('name=f1&name=f2')).toEqual(['f1', 'f2']);
  expect(await found('name=f1&name=f2&admin_state_up=False')).toEqual(['f2']);
  await cloud.ask('PUT', `networks/${network.id}/tags`, { tags: ['blue', 'red'] });
  expect(await found('tags=red,blue')).toEqual(['f1']);
  expect(await found('tags=red,green')).toEqual([]);
  expect(await found('tags-any=red,green')).toEqual(['f1']);
  expect(await found('name=f1&not-tags=red')).toEqual([]);
  expect(await found('name=f2&not-tags-any=red,blue')).toEqual(['f2']);
  const given = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' };
  const subnet = await cloud.make('subnets', 'subnet', given);
  const fixed_ips = [{ subnet_id: subnet.id, ip_address: '10.0.0.9' }];
  const port = await cloud.make('ports', 'port', { network_id: network.id, fixed_ips });
  for (const query of ['fixed_ips=ip_address%3D10.0.0.9', 'fixed_ips=ip_address_substr%3D0.0.9']) {
    const { body } = await cloud.ask('GET', `ports?network_id=${network.id}&${query}&fields=id`);
    expect(body.ports).toEqual([{ id: port.id }]);
  }
});

test('tags: one by one and all', async () => {
  const { id } = await cloud.make('networks', 'network', {});
  const tags = async () => (await cloud.ask('GET', `networks/${id}/tags`)).body.tags;
  expect((await cloud.ask('PUT', `networks/${id}/tags/one`)).status).toBe(201);
  expect((await cloud.ask('GET', `networks/${id}/tags/one`)).status).toBe(204);
  expect(await tags()).toEqual(['one']);
  expect((await cloud.ask('DELETE', `networks/${id}/tags/two`)).body).toEqual(
    no('TagNotFound', 'Tag two could not be found.'),
  );
  expect((await cloud.ask('PUT', `networks/${id}/tags`, { tags: ['b', 'b'] })).body).toEqual(
    invalidInput("Duplicate items in the list: 'b'."),
  );
  expect((await cloud.ask('DELETE', `networks/${id}/tags`)).status).toBe(204);
  expect(await tags()).toEqual([]);
});

test('If-Match holds a change back that is based on an old revision', async () => {
  const { id, revision_number: revision } = await cloud.make('networks', 'network', {});
  const rename = (match: string) =>
    cloud.ask('PUT', `networks/${id}`, { network: { name: 'x' } }, 'admin', { 'if-match': match });
  expect((await rename(`revision_number=${revision}`)).status).toBe(200);
  const late = await rename(`revision_number=${revision}`);
  expect([late.status, late.body]).toEqual([
    412,
    no('RevisionNumberConstraintFailed', `Constrained to ${revision}, but current revision is ${revision + 1}`),
  ]);
  expect((await rename('revision_number=x')).status).toBe(400);
  expect((await rename('whatever')).status).toBe(200);
});

test('a bulk is made whole or not at all', async () => {
  const before = cloud.cloud.store.networks.size;
  const { status } = await cloud.ask('POST', 'networks', { networks: [{ name: 'one' }, { mtu: 9000 }] });
  expect([status, cloud.cloud.store.networks.size]).toEqual([400, before]);
  const { body } = await cloud.ask('POST', 'networks', { networks: [{ name: 'one' }, { name: 'two' }] });
  expect(body.networks.map(({ name }) => name)).toEqual(['one', 'two']);
});

test('a project sees its own, and what is shared or external', async () => {
  const mine = await cloud.make('networks', 'network', { name: 'mine' }, 'demo');
  const shared = await cloud.make('networks', 'network', { name: 'shared', shared: true });
  const hidden = await cloud.make('networks', 'network', { name: 'hidden' });
  const { body } = await cloud.ask('GET', 'networks?name=mine&name=shared&name=hidden', undefined, 'demo');
  expect(body.networks.map(({ name }) => name).toSorted()).toEqual(['mine', 'shared']);
  expect(Object.keys(body.networks?.[0] ?? {}).filter((name) => name.startsWith('provider:'))).toEqual([]);
  expect((await cloud.ask('GET', `networks/${hidden.id}`, undefined, 'demo')).status).toBe(404);
  const refused = await cloud.ask('PUT', `networks/${shared.id}`, { network: { name: 'x' } }, 'demo');
  expect(refused.body).toEqual(no('PolicyNotAuthorized', 'rule:update_network is disallowed by policy'));
  const sharing = await cloud.ask('POST', 'networks', { network: { shared: true } }, 'demo');
  expect([sharing.status, sharing.body.NeutronError.message]).toEqual([
    403,
    '(rule:create_network and rule:create_network:shared) is disallowed by policy',
  ]);
  expect((await cloud.ask('GET', `networks/${mine.id}`, undefined, 'other')).status).toBe(404);
});
