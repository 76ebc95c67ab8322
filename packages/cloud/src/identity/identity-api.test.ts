import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { passwordAuth, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await TestCloud.start();
});
afterAll(() => cloud.stop());

const auth = (body: unknown) => cloud.send('POST', '/identity/v3/auth/tokens', body);
const as = async (user: string, method: string, path: string, body?: unknown) =>
  cloud.send(method, `/identity/v3/${path}`, body, { 'x-auth-token': await cloud.token(user) });

test('a token says who, where and as what; the catalog, where to go', async () => {
  const { status, headers, body } = await auth(passwordAuth('demo', 'secret', 'demo'));
  expect(status).toBe(201);
  expect(headers.get('x-subject-token')).toMatch(/^gAAAAAB/);
  expect(body.token).toMatchObject({
    methods: ['password'],
    user: { name: 'demo', domain: { id: 'default', name: 'Default' } },
    project: { name: 'demo' },
    is_domain: false,
  });
  expect(body.token.roles.map(({ name }) => name)).toEqual(['member', 'reader']);
  const network = body.token.catalog.find(({ type }) => type === 'network');
  expect(network?.endpoints.map(({ url }) => url)).toEqual(Array(3).fill(cloud.cloud.url));
});

test.each([
  ['a wrong password', passwordAuth('admin', 'bad', 'admin'), 401],
  ['nobody', passwordAuth('nobody', 'secret'), 401],
  ['a project that is not there', passwordAuth('admin', 'secret', 'nope'), 401],
  ['a project of others', passwordAuth('demo', 'secret', 'admin'), 401],
  ['nothing', {}, 400],
  ['no JSON', '{x', 400],
  ['an unknown way', { auth: { identity: { methods: ['foo'] } } }, 400],
  ['a token that is none', { auth: { identity: { methods: ['token'], token: { id: 'x' } } } }, 404],
])('%s is refused', async (_what, body, status) => {
  const reply = await auth(body);
  expect([reply.status, reply.body.error.code]).toEqual([status, status]);
});

test('a token is looked at, exchanged and revoked', async () => {
  const { headers, body } = await auth(passwordAuth('demo', 'secret'));
  expect(body.token.project).toBeUndefined();
  const id = headers.get('x-subject-token') ?? '';
  const looked = (token: string) =>
    cloud.send('GET', '/identity/v3/auth/tokens', undefined, { 'x-auth-token': token, 'x-subject-token': token });
  expect((await looked(id)).status).toBe(200);
  // Without a project it opens nothing else.
  expect((await cloud.send('GET', '/v2.0/networks', undefined, { 'x-auth-token': id })).status).toBe(401);
  const scope = { project: { name: 'demo', domain: { id: 'default' } } };
  const scoped = await auth({ auth: { identity: { methods: ['token'], token: { id } }, scope } });
  expect([scoped.status, scoped.body.token.project.name]).toEqual([201, 'demo']);
  expect(scoped.body.token.expires_at).toBe(body.token.expires_at);
  const revoked = await cloud.send('DELETE', '/identity/v3/auth/tokens', undefined, {
    'x-auth-token': id,
    'x-subject-token': id,
  });
  expect(revoked.status).toBe(204);
  expect((await looked(id)).status).toBe(401);
});

test('an administrator makes a project, a user and a role; the token ends with any of them', async () => {
  const { project } = (await as('admin', 'POST', 'projects', { project: { name: 'p1' } })).body;
  const { user } = (await as('admin', 'POST', 'users', { user: { name: 'u1', password: 'word' } })).body;
  expect(JSON.stringify(user)).not.toContain('password_hash');
  const { roles } = (await as('admin', 'GET', 'roles?name=member')).body;
  expect((await auth(passwordAuth('u1', 'word', 'p1'))).status).toBe(401);
  const grant = `projects/${project.id}/users/${user.id}/roles/${roles[0]?.id}`;
  expect((await as('admin', 'PUT', grant)).status).toBe(204);
  const token = (await auth(passwordAuth('u1', 'word', 'p1'))).headers.get('x-subject-token') ?? '';
  const networks = () => cloud.send('GET', '/v2.0/networks', undefined, { 'x-auth-token': token });
  expect((await networks()).status).toBe(200);
  expect((await as('admin', 'DELETE', grant)).status).toBe(204);
  expect((await networks()).status).toBe(401);
  expect((await as('admin', 'POST', 'projects', { project: { name: 'p1' } })).status).toBe(409);
  expect((await as('demo', 'POST', 'projects', { project: { name: 'p2' } })).status).toBe(403);
  expect((await as('demo', 'GET', 'users')).status).toBe(403);
});

test('an application credential opens its project, with the roles that it was given', async () => {
  const { body } = await auth(passwordAuth('demo', 'secret', 'demo'));
  const path = `users/${body.token.user.id}/application_credentials`;
  const given = { application_credential: { name: 'c', roles: [{ name: 'reader' }] } };
  const made = (await as('demo', 'POST', path, given)).body.application_credential;
  const open = (secret: string) =>
    auth({
      auth: {
        identity: { methods: ['application_credential'], application_credential: { id: made.id, secret } },
      },
    });
  const { token } = (await open(made.secret)).body;
  expect([token.project.name, token.roles.map(({ name }) => name)]).toEqual(['demo', ['reader']]);
  expect((await open('bad')).status).toBe(401);
  const shown = await as('demo', 'GET', `${path}/${made.id}`);
  expect(JSON.stringify(shown.body)).not.toContain('secret');
  expect((await as('other', 'GET', `${path}/${made.id}`)).status).toBe(403);
});

test('whatever is sent to Keystone, it never fails', async () => {
  const names = ['auth', 'identity', 'methods', 'password', 'user', 'name', 'token', 'project', 'scope', 'roles'];
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>('password', 'token', ['password'], ['token'], null, 1, 'demo', true),
      fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 4 }),
    ),
  })).node;
  const targets = ['auth/tokens', 'projects', 'users'] as const;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...targets), tree, async (path, body) => {
      expect((await as('admin', 'POST', path, body)).status).toBeLessThan(500);
    }),
    { numRuns: 300 },
  );
});
