import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { hostAddress, hostConfig, hostMac, knows, manyHosts } from '../../testing/many-hosts.ts';
import type { Served } from '../../testing/served.ts';

const HOSTS = 10_000;
const COMES = HOSTS + 2;
const CLIENT = 3;

let served: Served;
const indexes = Array.from({ length: HOSTS }, (_, index) => index + 2);

/** A client that renews its lease whenever it is told to. */
async function renewing(host: string) {
  const argv = ['udhcpc', '-i', 'eth0', '-f', '-s', '/bin/echo'];
  const client = await served.world.background(host, argv);
  const obtained = () => client.output().split('obtained').length - 1;
  expect(await until(() => obtained() > 0, 5_000)).toBe(true);
  let unanswered = 0;
  let going = true;
  const all = (async () => {
    while (going) {
      const before = obtained();
      client.signal('SIGUSR1');
      if (!(await until(() => obtained() > before, 5_000))) unanswered += 1;
    }
  })();
  return {
    stop: async () => {
      going = false;
      await all;
      client.kill();
      return { unanswered, renewals: obtained() - 1 };
    },
  };
}

/** How long a dnsmasq has run on a processor, in ms: the same on a busy machine. */
async function work(role: 'dns' | 'dhcp'): Promise<number> {
  const [ns = ''] = readFileSync(`/proc/${await served.pid('qr-a', role)}/schedstat`, 'utf8').split(' ');
  return Number(ns) / 1e6;
}

async function pids() {
  return [await served.pid('qr-a', 'dns'), await served.pid('qr-a', 'dhcp')];
}

beforeAll(async () => {
  served = await manyHosts();
  await served.world.host('client', 'neta', { mac: hostMac(CLIENT) });
  await served.world.host('comes', 'neta', { mac: hostMac(COMES) });
  await served.apply(hostConfig(indexes));
  expect(await until(() => knows(served.world.netns, HOSTS + 1), 10_000)).toBe(true);
}, 30_000);

afterAll(() => served?.destroy());

describe('a network of 10,000 hosts', () => {
  it('gets one more, loses it and moves one, while a client renews its lease without a gap', async () => {
    const before = await pids();
    const client = await renewing('client');

    const start = { dns: await work('dns'), dhcp: await work('dhcp') };
    const [step] = await served.apply(hostConfig([...indexes, COMES]));
    expect(step?.what).toBe('qr-a: 1 host added, 1 name added');
    expect(await until(() => knows(served.world.netns, COMES), 5_000)).toBe(true);
    expect(await served.lease('comes')).toMatchObject({ ip: hostAddress(COMES) });
    const came = { dns: await work('dns'), dhcp: await work('dhcp') };

    const moved = new Map([[COMES, '10.1.250.250']]);
    await served.apply(hostConfig([...indexes, COMES], moved));
    expect((await served.lease('comes'))?.ip).toBe('10.1.250.250');

    await served.apply(hostConfig(indexes));
    expect(await until(async () => !(await knows(served.world.netns, COMES)), 5_000)).toBe(true);
    expect(await served.lease('comes')).toBeUndefined();

    const went = await work('dhcp');
    const { unanswered, renewals } = await client.stop();
    expect(renewals).toBeGreaterThan(3);
    expect(unanswered).toBe(0);
    // 4 ms each, and what the client asks; to read everything twice takes DHCP 400 ms.
    expect(came.dns - start.dns).toBeLessThan(60);
    expect(came.dhcp - start.dhcp).toBeLessThan(100);
    expect(went - came.dhcp).toBeGreaterThan(2 * (came.dhcp - start.dhcp));
    expect(await pids()).toEqual(before);
  }, 30_000);

  it('writes no more than what came', async () => {
    const directory = `${served.world.home.runDir}/dnsmasq/qr-a/dhcp/since`;
    const files = async () => (await served.world.exec('client', ['ls', directory])).stdout.split('\n').filter(Boolean);
    expect(await files()).toEqual([]);
    await served.apply(hostConfig([...indexes, COMES]));
    expect(await files()).toEqual(['1']);
    await served.apply(hostConfig([...indexes, COMES, COMES + 1]));
    expect((await files()).sort()).toEqual(['1', '2']);
    await served.apply(hostConfig(indexes));
    expect(await files()).toEqual([]);
  });

  it('tells a dnsmasq that is at work of all that came, and went, in the meantime at once', async () => {
    const directory = `${served.world.home.runDir}/dnsmasq/qr-a/dhcp/since`;
    const files = async () => (await served.world.exec('client', ['ls', directory])).stdout.split('\n').filter(Boolean);
    const pid = (await served.pid('qr-a', 'dhcp')) ?? Number.NaN;
    process.kill(pid, 'SIGSTOP');
    try {
      for (let more = 1; more <= 5; more += 1) {
        const came = Array.from({ length: more }, (_, index) => COMES + index);
        await served.apply(hostConfig([...indexes, ...came]));
      }
      expect(await files()).toEqual([]);
      expect((await served.runner.observe(served.state, undefined)).unknown).toBe(false);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await until(async () => (await files()).length > 0, 2_000)).toBe(true);
    expect(await files()).toEqual(['1']);
    expect(await served.lease('comes')).toMatchObject({ ip: hostAddress(COMES) });
    process.kill(pid, 'SIGSTOP');
    try {
      await served.apply(hostConfig(indexes));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await until(async () => (await served.lease('comes')) === undefined, 10_000)).toBe(true);
  }, 30_000);
});
