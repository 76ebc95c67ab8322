import { type Json, type Request, request, scenario, type Who } from '../step.ts';

const keystone = (as: Who, method: string, path: string, body?: Json, more: Partial<Request> = {}) =>
  request(as, method, path, body, { service: 'identity', ...more });

const domain = { id: 'default' };

/** Who logs in, and where: scope absent: nowhere. */
function credentials(user: Json, scope?: Json): Json {
  const identity = { methods: ['password'], password: { user } };
  return { auth: scope === undefined ? { identity } : { identity, scope } };
}

const me = { name: '{member.name}', domain, password: '{member.password}' };
const mine = { project: { name: '{member.name}', domain } };

const tokens = '/v3/auth/tokens';

export const identity = [
  scenario(
    'tokens',
    keystone('nobody', 'GET', '/v3'),
    keystone('nobody', 'POST', tokens, credentials(me, mine)),
    keystone(
      'nobody',
      'POST',
      tokens,
      credentials({ id: '{member.user}', password: '{member.password}' }, { project: { id: '{member.project}' } }),
    ),
    keystone('nobody', 'POST', `${tokens}?nocatalog`, credentials(me, mine)),
    keystone('nobody', 'POST', tokens, credentials(me, 'unscoped')),
    keystone('nobody', 'POST', tokens, credentials({ ...me, password: 'wrong' }, mine)),
    keystone('nobody', 'POST', tokens, credentials({ ...me, name: 'nobody-of-that-name' }, mine)),
    keystone('nobody', 'POST', tokens, credentials(me, { project: { name: '{stranger.name}', domain } })),
    keystone('nobody', 'POST', tokens, credentials(me, { project: { name: 'nonsense', domain } })),
    keystone('nobody', 'POST', tokens, credentials({ name: '{member.name}', password: 'x' }, mine)),
    keystone('nobody', 'POST', tokens, {}),
    keystone('nobody', 'POST', tokens, { auth: {} }),
    keystone('nobody', 'POST', tokens, { auth: { identity: { methods: ['telepathy'] } } }),
    keystone('nobody', 'POST', tokens, '{'),
    keystone('member', 'GET', '/v3/auth/projects'),
    keystone('nobody', 'GET', '/v3/auth/projects'),
    keystone('nobody', 'GET', '/v3/nonsense'),
  ),
  scenario(
    'projects and users',
    keystone('admin', 'GET', '/v3/projects?name={member.name}'),
    keystone('admin', 'GET', '/v3/projects/{member.project}'),
    keystone('admin', 'GET', '/v3/users?name={member.name}'),
    keystone('admin', 'GET', '/v3/users/{member.user}'),
    keystone('admin', 'GET', '/v3/domains/default'),
    keystone('admin', 'GET', '/v3/roles?name=member'),
    keystone('admin', 'GET', '/v3/projects/{nothing}'),
    keystone('admin', 'GET', '/v3/users/{nothing}'),
    keystone('admin', 'POST', '/v3/projects', { project: { name: '{member.name}', domain_id: 'default' } }),
    keystone('admin', 'POST', '/v3/projects', { project: {} }),
    keystone('admin', 'POST', '/v3/users', { user: { name: '{member.name}', domain_id: 'default', password: 'x' } }),
    keystone('admin', 'PATCH', '/v3/projects/{member.project}', { project: { description: 'renamed' } }),
    keystone('admin', 'PUT', '/v3/projects/{member.project}/users/{stranger.user}/roles/{nothing}'),
    keystone('admin', 'GET', '/v3/role_assignments?user.id={member.user}'),
    keystone('member', 'GET', '/v3/projects'),
    keystone('member', 'POST', '/v3/projects', { project: { name: 'mine', domain_id: 'default' } }),
    keystone('member', 'GET', '/v3/users/{stranger.user}'),
    keystone('member', 'GET', '/v3/auth/catalog'),
    keystone('nobody', 'GET', '/v3/users'),
  ),
];
