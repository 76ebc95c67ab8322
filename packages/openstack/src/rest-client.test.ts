import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OpenStackError } from './errors.ts';
import { Neutron } from './neutron.ts';
import { Session } from './session.ts';
import { FakeCloud, type Reply } from './testing/fake-cloud.ts';

let fake: FakeCloud;
let session: Session;
let neutron: Neutron;
beforeEach(async () => {
  fake = await FakeCloud.start();
  session = new Session(fake.cloud());
  neutron = new Neutron(session);
});
afterEach(async () => {
  await session.close();
  await fake[Symbol.asyncDispose]();
});

async function failure(work: Promise<unknown>): Promise<OpenStackError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OpenStackError)) throw new Error(`no OpenStackError but ${error}`);
  return error;
}
function ports(from: number, to: number) {
  return Array.from({ length: to - from }, (_, index) => ({ id: `p${from + index}` }));
}
const fault = (status: number, type: string, message: string): Reply => ({
  status,
  body: { NeutronError: { type, message, detail: '' } },
});

describe('requests', () => {
  test('a token that is refused in the middle is renewed once for all who run into it', async () => {
    fake.service = () => ({ status: 200, body: { port: { id: 'p' } } });
    await neutron.ports.get('p');
    fake.tokens.clear();
    const got = await Promise.all([
      ...Array.from({ length: 10 }, () => neutron.ports.get('p')),
      neutron.ports.create({ network_id: 'n' }),
    ]);
    expect(got).toHaveLength(11);
    expect(fake.issued).toHaveLength(2);
  });

  test('a service that refuses fresh tokens is the operator’s', async () => {
    fake.service = () => ({ status: 401, body: 'Authentication required' });
    const error = await failure(neutron.ports.get('p'));
    expect(error).toMatchObject({ code: 'OPENSTACK_UNAUTHORIZED', retry: 'operator' });
    expect(fake.calls).toHaveLength(2);
  });

  test.each([502, 503, 504, 'drop'] as const)('%s: what is idempotent is repeated', async (what) => {
    let count = 0;
    fake.service = () =>
      ++count < 3
        ? what === 'drop'
          ? what
          : { status: what, body: '<html>' }
        : { status: 200, body: { port: { id: 'p' } } };
    expect(await neutron.ports.update('p', { name: 'x' })).toEqual({ id: 'p' });
    expect(fake.calls).toHaveLength(3);
    expect(new Set(fake.calls.map(({ headers }) => headers['x-openstack-request-id'])).size).toBe(1);
  });

  test.each([503, 'drop'] as const)('%s: a POST is not', async (what) => {
    fake.service = () => (what === 'drop' ? what : { status: what });
    const error = await failure(neutron.ports.create({}));
    expect(error.code).toBe(what === 'drop' ? 'OPENSTACK_UNREACHABLE' : 'OPENSTACK_UNAVAILABLE');
    expect(fake.calls).toHaveLength(1);
  });

  test('Retry-After is waited for, and a deadline in the pause reports what went wrong', async () => {
    fake.service = () => ({ status: 503, headers: { 'retry-after': '30' } });
    const started = Date.now();
    expect((await failure(neutron.ports.get('p', { timeout: 200 }))).code).toBe('OPENSTACK_UNAVAILABLE');
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(fake.calls).toHaveLength(1);
    fake.service = () =>
      fake.calls.length < 3
        ? { status: 429, headers: { 'retry-after': '0' } }
        : { status: 200, body: { port: { id: 'p' } } };
    await neutron.ports.create({});
  });

  test('slow: by the deadline of the operation, or when the caller says so', async () => {
    await session.token(AbortSignal.timeout(5_000));
    fake.service = () => 'hang';
    expect((await failure(neutron.ports.get('p', { timeout: 100 }))).code).toBe('OPENSTACK_TIMEOUT');
    expect((await failure(neutron.ports.get('p', { signal: AbortSignal.timeout(100) }))).code).toBe(
      'OPENSTACK_TIMEOUT',
    );
    const controller = new AbortController();
    const pending = neutron.ports.get('p', { signal: controller.signal });
    controller.abort(new Error('shutting down'));
    await expect(pending).rejects.toThrow('shutting down');
  });

  test('Neutron away: where it was looked for', async () => {
    const lost = new Session(fake.cloud({ network_endpoint_override: 'http://127.0.0.1:9' }));
    try {
      const error = await failure(new Neutron(lost).ports.get('p', { timeout: 500 }));
      expect(error.message).toBe('Neutron does not answer at http://127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9');
    } finally {
      await lost.close();
    }
  });

  test.each([
    [fault(404, 'PortNotFound', 'Port p could not be found.'), 'OPENSTACK_NOT_FOUND', 'terminal'],
    [fault(409, 'IpAddressInUse', 'in use'), 'OPENSTACK_CONFLICT', 'retry'],
    [fault(412, 'RevisionNumberConstraintFailed', 'x'), 'OPENSTACK_CONFLICT', 'retry'],
    [fault(409, 'OverQuota', "Quota exceeded for resources: ['port']."), 'OPENSTACK_QUOTA', 'operator'],
    [fault(403, 'PolicyNotAuthorized', 'rule:x is disallowed by policy'), 'OPENSTACK_FORBIDDEN', 'operator'],
    [fault(400, 'HTTPBadRequest', 'bad'), 'OPENSTACK_BAD_REQUEST', 'terminal'],
    [fault(500, 'HTTPInternalServerError', 'oops'), 'OPENSTACK_SERVER_ERROR', 'retry'],
    [{ status: 200, body: '<html>' }, 'OPENSTACK_BAD_ANSWER', 'retry'],
    [{ status: 200, body: { nonsense: 1 } }, 'OPENSTACK_BAD_ANSWER', 'retry'],
    [{ status: 302, body: '' }, 'OPENSTACK_BAD_ANSWER', 'retry'],
  ] as const)('%j', async (reply, code, retry) => {
    fake.service = () => reply;
    const error = await failure(neutron.ports.get('p'));
    expect(error).toMatchObject({ code, retry });
    expect(error.message).not.toMatch(/\{\w+\}/);
    expect(error.remedy).not.toMatch(/\{\w+\}/);
    const neutrons = JSON.stringify(reply).match(/"type":"(\w+)","message":"([^"]*)"/);
    if (neutrons !== null) {
      expect(error).toMatchObject({ requestId: 'req-of-the-service', type: neutrons[1] });
      expect(error.message).toContain(neutrons[2]);
    }
  });

  test('what is deleted already is deleted', async () => {
    fake.service = () => fault(404, 'PortNotFound', 'gone');
    await neutron.ports.delete('p');
    fake.service = () => ({ status: 204 });
    await neutron.ports.delete('a/b');
    expect(fake.calls.at(-1)?.path).toBe('/one/v2.0/ports/a%2Fb');
  });
});

describe('lists', () => {
  /** Pages as Neutron makes them. */
  function paged(all: readonly { id: string }[]) {
    fake.service = ({ query }) => {
      const limit = Number(query.get('limit'));
      const start = query.has('marker') ? all.findIndex(({ id }) => id === query.get('marker')) + 1 : 0;
      const items = all.slice(start, start + limit);
      const marker = items.at(-1)?.id;
      const links =
        marker !== undefined && items.length === limit
          ? [{ rel: 'next', href: `http://elsewhere/v2.0/ports?limit=${limit}&marker=${marker}` }]
          : [];
      return {
        status: 200,
        body: { ports: items, ports_links: [...links, { rel: 'previous', href: 'http://elsewhere/?marker=zz' }] },
      };
    };
  }

  test('follow the links, whatever host those name', async () => {
    paged(ports(0, 1234));
    const found = await neutron.ports.list({ fields: ['status'], filters: { admin_state_up: true } });
    expect(found).toHaveLength(1234);
    expect(fake.calls).toHaveLength(3);
    expect(fake.calls[1]?.query.toString()).toBe('admin_state_up=true&fields=id&fields=status&limit=500&marker=p499');
  });

  test('a last page that is just full', async () => {
    paged(ports(0, 1000));
    expect(await neutron.ports.list()).toHaveLength(1000);
    expect(fake.calls).toHaveLength(3);
  });

  test('begin again when the marker is gone', async () => {
    paged(ports(0, 600));
    const usual = fake.service;
    fake.service = (seen) => (fake.calls.length === 2 ? fault(404, 'PortNotFound', 'p499') : usual(seen));
    expect(await neutron.ports.list()).toHaveLength(600);
    fake.service = (seen) => (seen.query.has('marker') ? fault(404, 'PortNotFound', 'p499') : usual(seen));
    expect((await failure(neutron.ports.list())).code).toBe('OPENSTACK_NOT_FOUND');
  });

  test('many ids go in several requests; none ask for nothing', async () => {
    fake.service = ({ query }) => ({ status: 200, body: { ports: query.getAll('id').map((id) => ({ id })) } });
    const ids = ports(0, 120).map(({ id }) => id);
    expect(await neutron.ports.list({ filters: { id: [...ids, 'p0'] } })).toHaveLength(120);
    expect(fake.calls).toHaveLength(3);
    expect(await neutron.ports.list({ filters: { id: [] } })).toEqual([]);
    expect(fake.calls).toHaveLength(3);
  });
});
