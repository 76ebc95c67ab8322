import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { openKernel } from '@astara/kernel/open.ts';
import type { ErrorBody } from '@astara/model/error.ts';
import { netnsName, tapName } from '@astara/model/instance.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import { netnsOfName, netnsOfProcess, processesInNetns } from './instances/proc.ts';
import { readRecord } from './instances/record.ts';
import { createMetrics } from './metrics.ts';
import { readTap } from './plugging/tap.ts';
import { until } from './poll.ts';
import { call, hostClient } from './testing/client.ts';
import { attachment, spec, uniqueId } from './testing/fixtures.ts';
import { silentLog } from './testing/host.ts';
import { ip, temporaryRunDir } from './testing/world.ts';

async function start(runDir: string, gid = 0): Promise<Agent> {
  return startAgent({
    runDir,
    socket: join(runDir, 'agent.sock'),
    gid,
    ovs: { bridge: 'br-int', db: 'unix:/nonexistent' },
    kernel: await openKernel('auto'),
    metrics: createMetrics(),
    log: silentLog,
  });
}

const runDir = temporaryRunDir();
const socket = join(runDir, 'agent.sock');
const client = hostClient(socket);
let agent: Agent;

beforeAll(async () => {
  agent = await start(runDir, 12345);
});
afterAll(() => agent.stop());

const initOf = async (id: string) => {
  const init = (await readRecord(join(runDir, 'instances', id, 'instance.json')))?.init;
  if (!init) throw new Error(`${id} has no init`);
  return init.pid;
};

describe('instances over the API', () => {
  test('are made, shown, changed and removed', async () => {
    const id = uniqueId();
    const [a, b] = [attachment(), attachment()];
    const wanted = spec([a]);
    const made = await client.put(id, wanted);
    expect(made.status).toBe(200);
    expect(made.body).toMatchObject({ id, state: 'running', resource: wanted.resource, attachments: [a] });
    expect(made.body.appliance_socket).toBe(join(runDir, 'instances', id, 'api.sock'));
    expect((await client.get(id)).body).toEqual(made.body);
    const init = await initOf(id);

    expect((await client.put(id, { ...wanted, attachments: [a, b] })).body.attachments).toEqual([a, b]);
    expect(readTap(tapName(b.port_id))?.up).toBe(true);
    expect(await initOf(id)).toBe(init);
    expect((await client.list()).map((view) => view.id)).toEqual([id]);

    expect((await client.destroy(id)).status).toBe(204);
    expect((await client.destroy(id)).status).toBe(204);
    expect((await client.get(id)).status).toBe(404);
    expect(await client.list()).toEqual([]);
    expect(readTap(tapName(a.port_id))).toBeUndefined();
    expect(netnsOfName(netnsName(id))).toBeUndefined();
    expect(existsSync(join(runDir, 'instances', id))).toBe(false);
  });

  test('die with their init, and are made again by the same PUT', async () => {
    const id = uniqueId();
    const wanted = spec([attachment(), attachment()]);
    const first = await client.put(id, wanted);
    process.kill(await initOf(id), 'SIGKILL');
    expect(await until(async () => (await client.get(id)).body.state === 'dead', 5_000)).toBe(true);
    const again = await client.put(id, wanted);
    expect(again.body).toMatchObject({ state: 'running', attachments: wanted.attachments });
    expect(Date.parse(again.body.created_at)).toBeGreaterThan(Date.parse(first.body.created_at));
    for (const { port_id } of wanted.attachments) expect(readTap(tapName(port_id))?.up).toBe(true);
    expect((await client.destroy(id)).status).toBe(204);
  });

  test('twenty at a time, made and removed, leave the host as it was', async () => {
    const before = { netns: ip(null, 'netns'), files: readdirSync(runDir, { recursive: true }) };
    const wanted = Array.from({ length: 20 }, () => [uniqueId(), spec([attachment(), attachment()])] as const);
    const made = await Promise.all(wanted.map(([id, each]) => client.put(id, each)));
    expect(made.map((answer) => answer.body.state)).toEqual(wanted.map(() => 'running'));
    const inodes = await Promise.all(wanted.map(async ([id]) => netnsOfProcess(await initOf(id)) ?? 0));
    expect(new Set(inodes).size).toBe(20);

    await Promise.all(wanted.map(([id]) => client.destroy(id)));
    const ours = (text: string) => wanted.filter(([id]) => text.includes(id));
    expect(ours(ip(null, 'netns'))).toEqual([]);
    expect(ours(before.netns)).toEqual([]);
    const taps = wanted.flatMap(([, each]) => each.attachments.map(({ port_id }) => tapName(port_id)));
    expect(taps.filter((tap) => readTap(tap) !== undefined)).toEqual([]);
    expect(readdirSync(runDir, { recursive: true })).toEqual(before.files);
  });

  test('one id is worked on by one request at a time; the last one wins', async () => {
    const id = uniqueId();
    const [a, b] = [attachment(), attachment()];
    const base = spec();
    await Promise.all([
      client.put(id, { ...base, attachments: [a] }),
      client.destroy(id),
      client.put(id, { ...base, attachments: [a, b] }),
      client.put(id, { ...base, attachments: [b] }),
    ]);
    expect((await client.get(id)).body.attachments).toEqual([b]);
    expect(readTap(tapName(a.port_id))).toBeUndefined();
    const netns = netnsOfName(netnsName(id)) ?? 0;
    expect(processesInNetns(netns)).toEqual([await initOf(id)]);
    await client.destroy(id);
  });

  test('a port that is plugged elsewhere is refused by name', async () => {
    const [one, two] = [uniqueId(), uniqueId()];
    const port = attachment();
    await client.put(one, spec([port]));
    const refused = await client.put(two, spec([port]));
    expect(refused.status).toBe(409);
    expect(refused.body.error).toMatchObject({ code: 'AGENT_TAP_TAKEN', retry: 'retry' });
    expect((await client.get(two)).body.attachments).toEqual([]);
    await Promise.all([client.destroy(one), client.destroy(two)]);
    expect(readTap(tapName(port.port_id))).toBeUndefined();
  });
});

describe('bad requests', () => {
  const port = attachment();
  test.each([
    ['no JSON', '{', '', 400],
    ['an unknown field', { ...spec(), extra: 1 }, '', 400],
    ['a bad MAC address', spec([{ ...port, mac_address: 'x' }]), '/attachments/0/mac_address', 400],
    ['one port twice', spec([port, { ...port, ifname: 'other' }]), '/attachments', 400],
    ['one name twice', spec([port, attachment({ ifname: port.ifname })]), '/attachments', 400],
  ])('%s', async (_what, body, field, status) => {
    const answer = await call<ErrorBody>(socket, 'PUT', `/v1/instances/${uniqueId()}`, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe('AGENT_BAD_REQUEST');
    if (field !== '') expect(answer.body.error.field).toBe(field);
    expect(await client.list()).toEqual([]);
  });

  test('an id that would leave the directory', async () => {
    const answer = await call<ErrorBody>(socket, 'PUT', '/v1/instances/..%2f..%2fetc', spec());
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'AGENT_BAD_REQUEST' } } });
  });

  test('a route that is not there', async () => {
    const answer = await call<ErrorBody>(socket, 'GET', '/v2/instances');
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'AGENT_NO_ROUTE' } } });
  });
});

describe('the socket', () => {
  test('is for root and the group', () => {
    const { mode, uid, gid } = statSync(socket);
    expect([mode & 0o777, uid, gid]).toEqual([0o660, 0, 12345]);
    expect(statSync(runDir).mode & 0o777).toBe(0o750);
  });

  test('a second agent finds the first one', async () => {
    await expect(start(runDir)).rejects.toMatchObject({ code: 'AGENT_ALREADY_RUNNING' });
    expect((await call(socket, 'GET', '/healthz')).body).toEqual({ status: 'ok' });
  });

  test('what a killed agent left in its place is replaced', async () => {
    const other = temporaryRunDir();
    const path = join(other, 'agent.sock');
    // Listening and gone, without a chance to unlink: a file at the path does the same to connect(2).
    writeFileSync(path, '');
    const second = await start(other);
    expect((await call(path, 'GET', '/healthz')).status).toBe(200);
    await second.stop();
    expect(existsSync(path)).toBe(false);
  });

  test('another program listening there is not pushed aside', async () => {
    const other = temporaryRunDir();
    const path = join(other, 'agent.sock');
    const squatter = createServer().listen(path);
    await expect(start(other)).rejects.toMatchObject({ code: 'AGENT_ALREADY_RUNNING' });
    squatter.close();
  });
});

test('metrics tell of instances and of how long things took', async () => {
  const id = uniqueId();
  await client.put(id, spec());
  const { text } = await call(socket, 'GET', '/metrics');
  expect(text).toContain('astara_agent_instances{state="running"} 1');
  expect(text).toContain('astara_agent_instances{state="dead"} 0');
  expect(text).toMatch(/astara_agent_ensure_seconds_count\{outcome="ok"\} \d+/);
  await client.destroy(id);
});

test('the console shows what daemons have printed', async () => {
  const id = uniqueId();
  await client.put(id, spec());
  writeFileSync(join(runDir, 'instances', id, 'run', 'log', 'dnsmasq.log'), 'last words\n');
  expect((await call(socket, 'GET', `/v1/instances/${id}/console`)).body).toEqual({ dnsmasq: 'last words' });
  await client.destroy(id);
});
