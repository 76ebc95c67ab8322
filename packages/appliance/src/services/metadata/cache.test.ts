import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerCache, cacheKey, lifetime, Memory } from './cache.ts';

function answer(text: string) {
  return { headers: {}, body: Buffer.from(text) };
}

describe('what may be kept', () => {
  it.each([
    ['GET', '/', {}],
    ['GET', '/latest/meta-data/', { host: '169.254.169.254', accept: '*/*', 'user-agent': 'Cloud-Init/22.4' }],
    ['GET', '/openstack/2018-08-27/network_data.json', {}],
    ['GET', '/latest/meta-data/public-keys/0/openssh-key', {}],
  ])('%s %s', (method, url, headers) => {
    expect(cacheKey(method, url, headers)).toBeDefined();
  });

  it.each([
    ['HEAD', '/', {}],
    ['POST', '/latest/meta-data/', {}],
    ['GET', '/openstack/latest/password', {}],
    ['GET', '/openstack/latest/PASSWORD', {}],
    ['GET', '/openstack/latest/vendor_data2.json', {}],
    // Can be read as one of those above.
    ['GET', '/openstack/latest/%70assword', {}],
    ['GET', '/openstack/latest/x/../y', {}],
    ['GET', '/openstack//latest', {}],
    ['GET', '/latest/meta-data?x=1', {}],
    ['GET', '/', { range: 'bytes=0-1' }],
    ['GET', '/', { authorization: 'Basic eDp5' }],
    ['GET', '/', { cookie: 'a=b' }],
    ['GET', '/', { 'cache-control': 'no-cache' }],
    ['GET', '/', { 'if-none-match': '"x"' }],
    ['GET', '/', { 'x-anything': 'else' }],
  ])('not: %s %s %j', (method, url, headers) => {
    expect(cacheKey(method, url, headers)).toBeUndefined();
  });

  it('what the client prefers is part of the question', () => {
    expect(cacheKey('GET', '/', { accept: 'text/plain' })).not.toBe(cacheKey('GET', '/', { accept: 'text/html' }));
  });
});

describe('for how long', () => {
  it.each([
    [200, {}, 15],
    [200, { 'cache-control': 'max-age=5' }, 5],
    [200, { 'cache-control': 'private, max-age=3600' }, 15],
    [200, { 'cache-control': 'max-age=10', age: '4' }, 6],
    [200, { 'cache-control': 'max-age=10', age: '40' }, 0],
    [200, { 'cache-control': 'no-store' }, 0],
    [200, { 'cache-control': 'No-Cache' }, 0],
    [200, { expires: 'Thu, 01 Dec 1994 16:00:00 GMT' }, 0],
    [200, { vary: 'x-forwarded-for' }, 0],
    [200, { 'set-cookie': ['a=b'] }, 0],
    [404, {}, 0],
    [206, {}, 0],
    [301, {}, 0],
    [503, {}, 0],
  ])('%i with %j: %i s', (status, headers, seconds) => {
    expect(lifetime(status, headers, 15)).toBe(seconds);
  });
});

describe('the memory', () => {
  it('is of one client, until its time is over', async () => {
    const memory = new Memory(1_000_000);
    const cache = new AnswerCache(memory);
    cache.put('a', '/', answer('of a'), 0.05);
    expect(cache.get('a', '/')).toMatchObject({ answer: { body: Buffer.from('of a') }, age: 0 });
    expect(cache.get('b', '/')).toBeUndefined();
    await setTimeout(60);
    expect(cache.get('a', '/')).toBeUndefined();
    await expect.poll(() => memory.used, { timeout: 3_000 }).toBe(0);
  });

  it('never holds more than it may, in all and of one client, and gives everything back', () => {
    const operation = fc.record({
      cache: fc.nat(1),
      client: fc.constantFrom('a', 'b', 'c'),
      key: fc.nat(200).map(String),
      size: fc.nat(100_000),
      forget: fc.nat(20).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const memory = new Memory(1_000_000);
        const caches = [new AnswerCache(memory), new AnswerCache(memory)];
        for (const { cache, client, key, size, forget } of operations) {
          const one = caches[cache];
          if (forget) one?.forget(client);
          else one?.put(client, key, { headers: {}, body: Buffer.alloc(size) }, 100);
          expect(memory.used).toBeLessThanOrEqual(memory.limit);
          const found = one?.get(client, key)?.answer.body.length;
          expect(found === undefined || found === size).toBe(true);
          if (forget) expect(found).toBeUndefined();
        }
        for (const cache of caches) cache.clear();
        expect(memory.used).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
