import type { NetOperation } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FirewallChange } from '../services/firewall/runner.ts';
import type { FirewallState } from '../services/firewall/state.ts';
import {
  closedFirewall,
  type FirewallElements,
  openFirewall,
  type SetName,
  setNames,
} from '../services/firewall/state.ts';
import type { LinkChange } from '../services/link/runner.ts';
import { type LinkState, noLinks } from '../services/link/state.ts';
import { known, phases } from '../services/service.ts';
import { services } from '../services/services.ts';
import { anyConfig } from '../testing/arbitrary.ts';
import { plan, type Step } from './plan.ts';
import { compile, type Found, foundOf, type State } from './state.ts';

function compiled(config: ApplianceConfig): State {
  return compile(services, config, '/run');
}

function partsOf(found: Found): { links: LinkState; firewall: FirewallState } {
  const part = (name: string) => {
    const state = found.get(name);
    return state === undefined || state.unknown ? undefined : state.value;
  };
  return { links: part('link') as LinkState, firewall: part('firewall') as FirewallState };
}

const nothing: Found = new Map<string, ReturnType<typeof known<unknown>>>([
  ['link', known(noLinks)],
  ['firewall', known(closedFirewall)],
]);

function hopText(hops: readonly { via?: string; ifname?: string; weight?: number }[]): string {
  const single = hops.length === 1;
  return hops.map(({ via, ifname, weight = 1 }) => `${via} ${ifname} ${single ? '' : weight}`).join(', ');
}

/** What a kernel would have: all as text, to compare. */
class Model {
  readonly entries = new Map<string, string>();

  constructor(found: Found) {
    const { links, firewall } = partsOf(found);
    for (const [ifname, cidrs] of links.addresses) {
      for (const cidr of cidrs) this.entries.set(`address ${ifname} ${cidr}`, ifname);
    }
    for (const [destination, { hops }] of links.routes) this.entries.set(`route ${destination}`, hopText(hops));
    for (const key of links.proxies.keys()) this.entries.set(`proxy ${key}`, '');
    for (const name of setNames) this.#elements(name, firewall.elements);
  }

  #elements(name: SetName, elements: FirewallElements): void {
    for (const [key, value] of elements[name]) this.entries.set(`${name} ${key}`, value);
  }

  operate(operation: NetOperation): void {
    if (operation.op === 'address-add')
      this.entries.set(`address ${operation.ifname} ${operation.cidr}`, operation.ifname);
    if (operation.op === 'address-delete') this.entries.delete(`address ${operation.ifname} ${operation.cidr}`);
    if (operation.op === 'proxy-add') this.entries.set(`proxy ${operation.ifname} ${operation.address}`, '');
    if (operation.op === 'proxy-delete') this.entries.delete(`proxy ${operation.ifname} ${operation.address}`);
    if (operation.op === 'route-replace')
      this.entries.set(`route ${operation.destination}`, hopText(operation.hops ?? [operation]));
    if (operation.op === 'route-delete') this.entries.delete(`route ${operation.destination}`);
  }

  nft(script: string): void {
    for (const [, verb, name, list] of script.matchAll(/^(add|delete) element inet astara (\w+) \{ (.*) \}$/gm)) {
      for (const element of (list ?? '').split(', ')) {
        const [key = '', value = ''] = element.replaceAll('"', '').split(' : ');
        if (verb === 'add') expect(this.entries.has(`${name} ${key}`), `add ${name} ${key}`).toBe(false);
        else expect(this.entries.has(`${name} ${key}`), `delete ${name} ${key}`).toBe(true);
        if (verb === 'add') this.entries.set(`${name} ${key}`, value);
        else this.entries.delete(`${name} ${key}`);
      }
    }
  }

  do(service: string, change: unknown): void {
    const link = service === 'link' ? (change as LinkChange) : undefined;
    if (link?.kind === 'kernel') for (const operation of link.operations) this.operate(operation);
    const firewall = service === 'firewall' ? (change as FirewallChange) : undefined;
    if (firewall?.kind === 'nft') this.nft(firewall.script);
  }

  undo({ service, undo }: Step): void {
    if (undo !== undefined) this.do(service, undo);
  }
}

const sorted = (model: Model) => [...model.entries].sort();

describe('a plan', () => {
  it('leads from any configuration to any other', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (from, to) => {
        const [before, after] = [compiled(from), compiled(to)];
        const model = new Model(foundOf(before));
        for (const { service, change } of plan(services, foundOf(before), after)) model.do(service, change);
        expect(sorted(model)).toEqual(sorted(new Model(foundOf(after))));
      }),
      { numRuns: 500 },
    );
  });

  it('leads back, wherever it stopped', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, fc.nat(), (from, to, stop) => {
        const [before, after] = [compiled(from), compiled(to)];
        const steps = plan(services, foundOf(before), after);
        const done = steps.slice(0, steps.length === 0 ? 0 : (stop % steps.length) + 1);
        const model = new Model(foundOf(before));
        for (const { service, change } of done) model.do(service, change);
        for (const step of done.toReversed()) model.undo(step);
        expect(sorted(model)).toEqual(sorted(new Model(foundOf(before))));
      }),
      { numRuns: 500 },
    );
  });

  it('is empty when nothing differs', () => {
    fc.assert(
      fc.property(anyConfig, (config) => plan(services, foundOf(compiled(config)), compiled(config)).length === 0),
      {
        numRuns: 200,
      },
    );
  });

  it('builds, switches, takes away and then serves, each in the order of the services', () => {
    const names = services.map(({ name }) => name);
    const place = ({ phase, service }: Step) => phases.indexOf(phase) * names.length + names.indexOf(service);
    fc.assert(
      fc.property(anyConfig, anyConfig, (from, to) => {
        const places = plan(services, foundOf(compiled(from)), compiled(to)).map(place);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });

  it('reverts the first table to one that drops everything', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const steps = plan(services, new Map([...nothing, ['firewall', known(openFirewall)]]), compiled(config));
        const step = steps.find(({ service }) => service === 'firewall');
        expect(step?.what).toBe('table');
        const model = new Model(nothing);
        if (step !== undefined) model.do(step.service, step.change);
        if (step !== undefined) model.undo(step);
        expect(sorted(model).filter(([key]) => !key.startsWith('address') && !key.startsWith('route'))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
