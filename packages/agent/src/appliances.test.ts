import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { get } from 'node:http';
import type { ErrorBody } from '@astara/model/error.ts';
import { type Attachment, tapName } from '@astara/model/instance.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { descendants, readStat } from './instances/proc.ts';
import { until } from './poll.ts';
import { AgentProcess } from './testing/agent-process.ts';
import { call } from './testing/client.ts';
import { attachment, routerConfig, spec, uniqueId } from './testing/fixtures.ts';
import { ip, temporaryRunDir } from './testing/world.ts';

/** One router, its one port facing the host itself: what stands on the tap is a neighbour of it. */
const runDir = temporaryRunDir();
let agent: AgentProcess;
let id: string;
let port: Attachment;
let net: string;

beforeEach(async () => {
  agent = await new AgentProcess(runDir).serving();
  id = uniqueId();
  port = attachment();
  net = `198.19.${randomInt(256)}`;
  await agent.client.put(id, spec([port]));
  ip(null, 'address', 'add', `${net}.9/24`, 'dev', tapName(port.port_id));
});

afterEach(async () => {
  await agent.client.destroy(id);
  await agent.end('SIGTERM');
});

const view = async () => (await agent.client.get(id)).body;
const api = async <T>(method: string, path: string, body?: unknown) =>
  call<T>((await view()).appliance_socket, method, path, body);
const daemons = async () => descendants((await agent.record(id)).init.pid);

function startPing(): ChildProcess & { text: string } {
  const ping = spawn('ping', ['-i', '0.02', `${net}.1`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const result = Object.assign(ping, { text: '' });
  ping.stdout.on('data', (chunk: Buffer) => {
    result.text += chunk.toString();
  });
  return result;
}

describe('the appliance of an instance', () => {
  test('answers on a socket of its own, for root and the group', async () => {
    expect(statSync((await view()).appliance_socket).mode & 0o777).toBe(0o660);
    expect((await api('GET', '/v2/config')).body).toEqual({ applied: null, pending: null, configuration: null });
    expect((await view()).applied).toBeNull();
    const names = (await view()).services.map((service) => service.name);
    expect(names).toEqual(expect.arrayContaining(['link', 'firewall', 'dhcp']));
  });

  test('applies a configuration; the view and the metrics tell of it', async () => {
    const applied = await api<{ etag: string }>('PUT', '/v2/config', routerConfig(port, net));
    expect(applied.status, applied.text).toBe(200);
    expect((await view()).applied).toEqual({ generation: 1, etag: applied.body.etag });
    const dhcp = (await view()).services.find((service) => service.name === 'dhcp');
    expect(dhcp).toEqual({ name: 'dhcp', wanted: true, running: true });
    const metrics = (await call(agent.socket, 'GET', '/metrics')).text;
    expect(metrics).toContain('astara_agent_apply_seconds_count{outcome="ok"} 1');
    expect(metrics).toMatch(/astara_agent_daemon_starts_total\{program="dnsmasq"\} [1-9]/);
  });

  test('refuses what is not a configuration, in the shape of all errors', async () => {
    const refused = await api<ErrorBody>('PUT', '/v2/config', { networks: 1 });
    expect(refused.status).toBe(422);
    expect(refused.body.error.code).toBe('APPLIANCE_CONFIG_INVALID');
  });

  test('goes although somebody listens to its events', async () => {
    const { promise: ended, resolve, reject } = Promise.withResolvers<string>();
    const socketPath = (await view()).appliance_socket;
    const listening = get({ socketPath, path: '/v2/events', agent: false }, (response) => {
      response
        .resume()
        .on('end', () => resolve('ended'))
        .on('error', reject);
      void agent.client.destroy(id).catch(reject);
    }).on('error', reject);
    try {
      expect(await ended).toBe('ended');
      expect(await until(async () => (await agent.client.get(id)).status === 404, 5_000)).toBe(true);
    } finally {
      listening.destroy();
    }
  });

  test('is put right again when its device was made anew', async () => {
    await api('PUT', '/v2/config', routerConfig(port, net));
    ip(null, 'link', 'delete', tapName(port.port_id));
    await agent.client.put(id, { ...(await agent.record(id)).spec });
    expect(ip(id, '-o', 'address', 'show', port.ifname)).toContain(`${net}.1/24`);
    expect(ip(id, 'link', 'show', port.ifname)).toContain('UP');
  });
});

test('kill -9 of the agent and its restart lose no packet, no daemon and no configuration', async () => {
  await api('PUT', '/v2/config', routerConfig(port, net));
  const before = await view();
  const running = await daemons();
  expect(running.length).toBeGreaterThan(0);
  const starts = running.map((pid) => readStat(pid)?.startTime);
  const ping = startPing();
  expect(await until(() => ping.text.includes('icmp_seq=10 '), 10_000)).toBe(true);

  await agent.end('SIGKILL');
  agent = await new AgentProcess(runDir).serving();
  expect(await view()).toEqual(before);
  expect(await daemons()).toEqual(running);
  expect(running.map((pid) => readStat(pid)?.startTime)).toEqual(starts);
  const again = await api<{ changes: unknown[] }>('PUT', '/v2/config', routerConfig(port, net));
  expect(again.status).toBe(200);

  ping.kill('SIGINT');
  await once(ping, 'close');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(ping.text) ?? [];
  expect(Number(sent)).toBeGreaterThan(20);
  // The last one may be under way when ping is ended.
  expect(Number(sent) - Number(received)).toBeLessThanOrEqual(1);
});

test('a daemon that is killed is started again, and counted', async () => {
  await api('PUT', '/v2/config', routerConfig(port, net));
  const starts = async () => {
    const { text } = await call(agent.socket, 'GET', '/metrics');
    return Number(/daemon_starts_total\{program="dnsmasq"\} (\d+)/.exec(text)?.[1]);
  };
  const before = await starts();
  const running = await daemons();
  const [first = 0] = running;
  process.kill(first, 'SIGKILL');
  const back = async () => {
    const now = await daemons();
    return now.length === running.length && !now.includes(first);
  };
  expect(await until(back, 10_000)).toBe(true);
  expect(await until(async () => (await starts()) === before + 1, 1_000)).toBe(true);
});
