import type { NetOperation } from '@astara/kernel/contract.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FirewallElements, noElements, openFirewall, type SetName, setNames } from '../services/firewall/state.ts';
import { addressKey, noLinks } from '../services/link/state.ts';
import { anyConfig } from '../testing/arbitrary.ts';
import { plan, type Step } from './plan.ts';
import { compile, known, type State } from './state.ts';

const nothing: State = {
  links: noLinks,
  firewall: { table: true, elements: noElements },
  dhcp: known(undefined),
  ra: known(undefined),
  metadata: known(undefined),
};

function compiled(config: ApplianceConfig): State {
  return compile(config, '/run', []);
}

/** What a kernel would have: all as text, to compare. */
class Model {
  readonly entries = new Map<string, string>();

  constructor(state: State) {
    for (const [key, { ifname }] of state.links.addresses) this.entries.set(`address ${key}`, ifname);
    for (const [destination, route] of state.links.routes) {
      this.entries.set(`route ${destination}`, `${route.via} ${route.ifname}`);
    }
    for (const name of setNames) this.#elements(name, state.firewall.elements);
  }

  #elements(name: SetName, elements: FirewallElements): void {
    for (const [key, value] of elements[name]) this.entries.set(`${name} ${key}`, value);
  }

  operate(operation: NetOperation): void {
    if (operation.op === 'address-add')
      this.entries.set(`address ${addressKey(operation.ifname, operation.cidr)}`, operation.ifname);
    if (operation.op === 'address-delete')
      this.entries.delete(`address ${addressKey(operation.ifname, operation.cidr)}`);
    if (operation.op === 'route-replace')
      this.entries.set(`route ${operation.destination}`, `${operation.via} ${operation.ifname}`);
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

  do(step: Step): void {
    if (step.service === 'link') for (const operation of step.operations) this.operate(operation);
    if (step.service === 'firewall') this.nft(step.script);
  }

  undo(step: Step): void {
    if (step.service === 'link') for (const operation of step.undo.operations) this.operate(operation);
    if (step.service === 'firewall') this.nft(step.undo);
  }
}

const sorted = (model: Model) => [...model.entries].sort();

describe('a plan', () => {
  it('leads from any configuration to any other', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, (from, to) => {
        const [before, after] = [compiled(from), compiled(to)];
        const model = new Model(before);
        for (const step of plan(before, after)) model.do(step);
        expect(sorted(model)).toEqual(sorted(new Model(after)));
      }),
      { numRuns: 500 },
    );
  });

  it('leads back, wherever it stopped', () => {
    fc.assert(
      fc.property(anyConfig, anyConfig, fc.nat(), (from, to, stop) => {
        const [before, after] = [compiled(from), compiled(to)];
        const steps = plan(before, after);
        const done = steps.slice(0, steps.length === 0 ? 0 : (stop % steps.length) + 1);
        const model = new Model(before);
        for (const step of done) model.do(step);
        for (const step of done.toReversed()) model.undo(step);
        expect(sorted(model)).toEqual(sorted(new Model(before)));
      }),
      { numRuns: 500 },
    );
  });

  it('is empty when nothing differs', () => {
    fc.assert(
      fc.property(anyConfig, (config) => plan(compiled(config), compiled(config)).length === 0),
      {
        numRuns: 200,
      },
    );
  });

  it('builds, lets through, takes away, ends connections and then starts daemons, in this order', () => {
    const order = ['link', 'firewall', 'link', 'conntrack', 'dhcp', 'ra', 'metadata'];
    fc.assert(
      fc.property(anyConfig, anyConfig, (from, to) => {
        let at = 0;
        for (const { service } of plan(compiled(from), compiled(to))) {
          const next = order.indexOf(service, at);
          expect(next).toBeGreaterThanOrEqual(0);
          at = next + 1;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('reverts the first table to one that drops everything', () => {
    fc.assert(
      fc.property(anyConfig, (config) => {
        const steps = plan({ ...nothing, firewall: openFirewall }, compiled(config));
        const step = steps.find(({ service }) => service === 'firewall');
        expect(step?.service === 'firewall' && step.what).toBe('table');
        const model = new Model(nothing);
        if (step !== undefined) model.do(step);
        if (step !== undefined) model.undo(step);
        expect(sorted(model).filter(([key]) => !key.startsWith('address') && !key.startsWith('route'))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
