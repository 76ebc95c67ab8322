import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../processes.ts';
import { connection, Site } from '../../testing/vpn-sites.ts';

let a: Site;
let b: Site;

beforeAll(async () => {
  [a, b] = [await Site.create(1), await Site.create(2)];
  await Site.join(a, b);
});

afterAll(async () => {
  await a?.destroy();
  await b?.destroy();
});

async function isUp(site: Site, id = 'c0-4', timeout = 5_000): Promise<boolean> {
  return until(async () => (await site.status(id))?.status === 'up', timeout);
}

describe('a tunnel', () => {
  it('comes up between two sites', async () => {
    await b.apply([connection(b, a, { initiator: 'response-only' })]);
    const t = performance.now();
    await a.apply([connection(a, b)]);
    console.log('apply', performance.now() - t);
    expect(await isUp(a)).toBe(true);
    console.log('up', performance.now() - t);
    console.log(JSON.stringify(await a.status('c0-4')), a.events);
    console.log((await a.swanctl('--list-sas')).stdout);
    expect(await until(() => a.pings(b.host(4)), 5_000)).toBe(true);
    expect(await isUp(b)).toBe(true);
  });
});
