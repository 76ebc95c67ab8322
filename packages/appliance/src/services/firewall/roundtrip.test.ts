import { openKernel } from '@astara/kernel/open.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyFirewallConfig } from '../../testing/arbitrary-firewall.ts';
import { run } from '../../testing/world.ts';
import { desiredFirewall } from './desired.ts';
import { observeFirewall } from './observe.ts';
import { planScript } from './plan.ts';
import { renderTable } from './render.ts';
import { closedFirewall, type FirewallState, openFirewall } from './state.ts';

const name = `at-app-fw-${process.pid}`;
const kernel = await openKernel('auto');
let netns: Awaited<ReturnType<typeof kernel.open>>;

beforeAll(async () => {
  await kernel.createNetns(name);
  netns = await kernel.open(name);
});

afterAll(async () => {
  netns?.close();
  await kernel.deleteNetns(name);
});

const compiled = (config: Parameters<typeof desiredFirewall>[0]) => desiredFirewall(config, { warn: () => undefined });

/** What can be read back, in an order of its own: nft lists sets sorted. */
function comparable({ table, elements, chains, books, counters }: FirewallState) {
  const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    table,
    elements: Object.fromEntries(Object.entries(elements).map(([set, map]) => [set, sorted(map)])),
    chains: Object.fromEntries([...chains].map(([chain, { keys }]) => [chain, keys]).sort()),
    books: Object.fromEntries(
      [...books].map(([book, { type, elements }]) => [book, { type, elements: sorted(elements) }]),
    ),
    counters: [...counters].sort(),
  };
}

describe('the kernel', () => {
  it('has afterwards what was asked for, whatever was there before', async () => {
    let found: FirewallState = openFirewall;
    await fc.assert(
      fc.asyncProperty(anyFirewallConfig, async (config) => {
        const wanted = compiled(config);
        const script = planScript(found, wanted);
        if (script !== '') await netns.nft(script);
        found = await observeFirewall(netns);
        expect(comparable(found)).toEqual(comparable(wanted));
        expect(planScript(found, wanted)).toBe('');
      }),
      { numRuns: 50, endOnFailure: true },
    );
  });

  it('is led back from any state to the one before', async () => {
    await netns.nft(planScript(await observeFirewall(netns), closedFirewall));
    await fc.assert(
      fc.asyncProperty(anyFirewallConfig, anyFirewallConfig, async (one, other) => {
        const [before, after] = [compiled(one), compiled(other)];
        await netns.nft(renderTable(before));
        const there = planScript(before, after);
        if (there !== '') await netns.nft(there);
        expect(comparable(await observeFirewall(netns))).toEqual(comparable(after));
        const back = planScript(after, before);
        if (back !== '') await netns.nft(back);
        expect(comparable(await observeFirewall(netns))).toEqual(comparable(before));
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });

  it('takes every script that is rendered (nft -c)', async () => {
    await fc.assert(
      fc.asyncProperty(anyFirewallConfig, async (config) => {
        const script = renderTable(compiled(config));
        expect(await run('nft', ['-c', '-f', '-'], { input: script })).toMatchObject({ status: 0, stderr: '' });
      }),
      { numRuns: 40 },
    );
  });
});

describe('what is rendered', () => {
  it('has no text of a tenant in it', () => {
    fc.assert(
      fc.property(anyFirewallConfig, (config) => {
        const script = renderTable(compiled(config));
        expect(script).toMatch(/^[\w\s{}"@:;,.=/|&()!<>[\]-]*$/);
        const words = new Set(script.split(/[\s"]+/));
        const tenants = [config.labels, config.address_book].flatMap((part) => Object.keys(part ?? {}));
        const own = new Set(['web', 'drop', 'ip']);
        for (const tenant of tenants.filter((each) => each.length > 6 && !own.has(each)))
          expect(words).not.toContain(tenant);
      }),
      { numRuns: 200 },
    );
  });
});
