import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyRoutedConfig } from '../../testing/arbitrary-routing.ts';
import { desiredRa } from './desired-ra.ts';
import { farewell, leaving } from './farewell.ts';
import type { RaNode } from './nodes.ts';

const anyRa = anyRoutedConfig.map(desiredRa);

/** What hosts use of an advertisement, as text: `interface thing`. */
function used(nodes: readonly RaNode[]): Set<string> {
  const all = nodes.flatMap((node) => [
    ...(node.routerLifetime > 0 ? [`${node.ifname} router`] : []),
    ...node.prefixes
      .filter(({ autonomous, valid }) => autonomous && valid > 0)
      .map(({ prefix }) => `${node.ifname} ${prefix}`),
    ...node.nameservers.filter(({ lifetime }) => lifetime > 0).map(({ value }) => `${node.ifname} ns ${value}`),
    ...node.searchDomains.filter(({ lifetime }) => lifetime > 0).map(({ value }) => `${node.ifname} domain ${value}`),
  ]);
  return new Set(all);
}

describe('a farewell', () => {
  it('leaves hosts with nothing that goes, and with everything that stays', () => {
    fc.assert(
      fc.property(anyRa, anyRa, (before, after) => {
        const said = farewell(before, after);
        const kept = used(said ?? before);
        const stays = used(after.map((node) => ({ ...node, routerLifetime: 1 })));
        const prefixes = new Set(
          after.flatMap((node) => node.prefixes.map(({ prefix }) => `${node.ifname} ${prefix}`)),
        );
        for (const thing of used(before)) {
          // What stays with another lifetime is told so by the next advertisement.
          if (stays.has(thing) || (prefixes.has(thing) && kept.has(thing))) expect(kept).toContain(thing);
          else expect(kept).not.toContain(thing);
        }
        expect(said?.length ?? before.length).toBe(before.length);
      }),
      { numRuns: 150 },
    );
  });

  it('is not said when nothing goes', () => {
    fc.assert(
      fc.property(anyRa, (nodes) => {
        expect(farewell(nodes, nodes)).toBeUndefined();
        expect(farewell([], nodes)).toBeUndefined();
        const all = farewell(nodes, []);
        expect(all === undefined ? [] : leaving(nodes, all)).toEqual(all?.map(({ ifname }) => ifname) ?? []);
      }),
      { numRuns: 50 },
    );
  });
});
