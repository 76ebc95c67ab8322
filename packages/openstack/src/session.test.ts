import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Parameters } from './cloud.ts';
import { OpenStackError } from './errors.ts';
import { Session, type SessionOptions } from './session.ts';
import { FakeCloud } from './testing/fake-cloud.ts';

let fake: FakeCloud;
let sessions: Session[] = [];
beforeEach(async () => {
  fake = await FakeCloud.start();
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(sessions.map((session) => session.close()));
  sessions = [];
  await fake[Symbol.asyncDispose]();
});

function open(parameters: Parameters = {}, options: SessionOptions = {}): Session {
  const session = new Session(fake.cloud(parameters), options);
  sessions.push(session);
  return session;
}
const soon = () => AbortSignal.timeout(5_000);

async function failure(work: Promise<unknown>): Promise<OpenStackError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenStackError)) throw new Error(`no OpenStackError but ${error}`);
  return error;
}

describe('token', () => {
  test('asked for once, however many need it, and cached', async () => {
    const session = open();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => session.token(soon())));
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(1);
    expect((await session.token(soon())).id).toBe(tokens[0]?.id);
    expect(fake.issued).toHaveLength(1);
    expect(tokens[0]).toMatchObject({
      projectId: 'project-id',
      userId: 'user-id',
      roles: ['admin'],
      lifetime: 3_600_000,
    });
    expect(fake.issued[0]?.body).toEqual({
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'neutron', domain: { id: 'default' }, password: 'right' } },
        },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    });
  });

  test('renewed in the background before it ends, and waited for after', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = open();
    const first = await session.token(soon());
    vi.setSystemTime(Date.now() + 3_600_000 * 0.89);
    expect((await session.token(soon())).id).toBe(first.id);
    expect(fake.issued).toHaveLength(1);

    vi.setSystemTime(Date.now() + 3_600_000 * 0.02);
    expect((await session.token(soon())).id).toBe(first.id);
    await vi.waitFor(async () => expect((await session.token(soon())).id).not.toBe(first.id), { timeout: 5_000 });
    expect(fake.issued).toHaveLength(2);

    vi.setSystemTime(Date.now() + 3_600_000);
    await session.token(soon());
    expect(fake.issued).toHaveLength(3);
  });

  test('a renewal that fails hurts nobody while the token lives, and Keystone is not hammered', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const warn = vi.fn();
    const session = open({}, { log: { warn } });
    const first = await session.token(soon());
    fake.keystone = () => ({ status: 401, body: {} });
    vi.setSystemTime(Date.now() + 3_500_000);
    expect((await session.token(soon())).id).toBe(first.id);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(1), { timeout: 5_000 });
    for (let count = 0; count < 10; count++) expect((await session.token(soon())).id).toBe(first.id);
    expect(fake.issued).toHaveLength(2);
  });

  test('one that was refused is given out no more; a newer one stays', async () => {
    const session = open();
    const first = await session.token(soon());
    session.discard(first);
    const second = await session.token(soon());
    session.discard(first);
    expect((await session.token(soon())).id).toBe(second.id);
    expect(fake.issued).toHaveLength(2);
  });

  test('one caller that gives up does not end the renewal for others', async () => {
    const { promise: gate, resolve: open_ } = Promise.withResolvers<void>();
    fake.keystone = async () => {
      await gate;
      return { status: 0 };
    };
    const session = open();
    const leaving = new AbortController();
    const first = session.token(leaving.signal);
    const second = session.token(soon());
    leaving.abort(new Error('not wanted any more'));
    await expect(first).rejects.toThrow('not wanted any more');
    open_();
    expect((await second).id).toBeDefined();
    expect(fake.issued).toHaveLength(1);
  });
});

describe('what Keystone does wrong', () => {
  test('a wrong password: the options to look at, and no secret', async () => {
    const error = await failure(open({ password: 'wr0ng' }).token(soon()));
    expect(error).toMatchObject({ code: 'OPENSTACK_AUTH_REFUSED', retry: 'operator', httpStatus: 401 });
    expect(error.message).toContain('the user neutron of the domain default with the project service');
    expect(error.remedy).toBe(
      'Check [keystone] username, [keystone] password, [keystone] user_domain_name and [keystone] project_name.',
    );
    expect(JSON.stringify(error) + error.message + error.stack).not.toContain('wr0ng');
    expect(fake.issued).toHaveLength(1);
  });

  test('away for a moment: waited for', async () => {
    let failures = 0;
    fake.keystone = () => (failures++ < 2 ? { status: 503, body: 'busy' } : failures === 3 ? 'drop' : { status: 0 });
    expect((await open().token(soon())).id).toBeDefined();
    expect(fake.issued.length).toBeGreaterThanOrEqual(4);
  });

  test('not there: says where it was looked for, which option that is, and why', async () => {
    const { url } = fake;
    const session = open();
    await fake[Symbol.asyncDispose]();
    const error = await failure(session.token(AbortSignal.timeout(300)));
    expect(error).toMatchObject({ code: 'OPENSTACK_KEYSTONE_UNREACHABLE', retry: 'retry' });
    expect(error.message).toBe(
      `Keystone does not answer at ${url}/identity/v3/auth/tokens: connect ECONNREFUSED ${url.slice(7)}`,
    );
    expect(error.remedy).toContain('[keystone] auth_url');
  });

  test('never answers', async () => {
    fake.keystone = () => 'hang';
    const error = await failure(open({}, { timeout: 200 }).token(soon()));
    expect(error.message).toContain('no answer in time');
    expect((await failure(open().token(AbortSignal.timeout(100)))).message).toContain('no answer in time');
  });

  test.each([
    [{ status: 404, body: 'no such page' }, 'OPENSTACK_KEYSTONE_WRONG_URL'],
    [{ status: 200, body: '<html>' }, 'OPENSTACK_KEYSTONE_WRONG_URL'],
    [{ status: 302, body: '' }, 'OPENSTACK_KEYSTONE_WRONG_URL'],
    [{ status: 403, body: { error: { message: 'no' } } }, 'OPENSTACK_KEYSTONE_FAILED'],
  ])('answers %j', async (reply, code) => {
    fake.keystone = () => reply;
    expect((await failure(open().token(soon()))).code).toBe(code);
  });
});

describe('endpoint', () => {
  test.each([
    [{}, '/one'],
    [{ interface: 'public', region_name: 'two' }, '/two'],
    [{ interface: 'publicURL', region_name: 'one' }, '/public'],
  ])('by %j', async (parameters, path) => {
    expect(await open(parameters).endpoint('network', soon())).toBe(`${fake.url}${path}`);
  });

  test('overridden', async () => {
    const session = open({ network_endpoint_override: 'http://127.0.0.1:1/x/' });
    expect(await session.endpoint('network', soon())).toBe('http://127.0.0.1:1/x');
  });

  test('missing or ambiguous', async () => {
    const missing = await failure(open({ region_name: 'three' }).endpoint('network', soon()));
    expect(missing.message).toBe(
      "Keystone's catalog has no internal endpoint of network in region three; it has: internal in one, public in one, public in two",
    );
    expect(missing.remedy).toContain('[keystone] region_name and [keystone] interface');
    expect((await failure(open().endpoint('compute', soon()))).message).toContain('it has: none at all');
    const ambiguous = await failure(open({ interface: 'public' }).endpoint('network', soon()));
    expect(ambiguous.message).toContain('in several regions: one, two');
  });
});

test('an application credential and a token are sent as Keystone wants them', async () => {
  await failure(open({ application_credential_id: 'a', application_credential_secret: 's' }).token(soon()));
  await open({ auth_type: 'token', token: 'right' }).token(soon());
  expect(fake.issued.map(({ body }) => body)).toEqual([
    { auth: { identity: { methods: ['application_credential'], application_credential: { id: 'a', secret: 's' } } } },
    {
      auth: {
        identity: { methods: ['token'], token: { id: 'right' } },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    },
  ]);
});
