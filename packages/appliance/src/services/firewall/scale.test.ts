import { openKernel } from '@astara/kernel/open.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routerConfig } from '../../testing/router-world.ts';
import { known } from '../service.ts';
import { desiredFirewall } from './desired.ts';
import { observeFirewall } from './observe.ts';
import { planFirewall, planScript } from './plan.ts';
import type { FirewallState } from './state.ts';

/** Ten thousand floating IPs in one kernel. */
const MANY = 10_000;
const name = `at-app-fw-scale-${process.pid}`;
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

function config(count: number, more: Partial<ApplianceConfig> = {}): ApplianceConfig {
  const floating_ips = Array.from({ length: count }, (_, index) => ({
    floating_ip: `198.18.${index >> 8}.${index & 255}`,
    fixed_ip: `10.1.${index >> 8}.${index & 255}`,
    rate_limits: { ingress: { max_kbps: 1000 + index }, egress: { max_kbps: 2000 } },
  }));
  return routerConfig({ floating_ips, ...more });
}

const compiled = (of: ApplianceConfig) => desiredFirewall(of, { warn: () => undefined });
const scriptOf = (before: FirewallState, after: FirewallState) => {
  const [step] = planFirewall(known(before), after);
  return step?.change.kind === 'nft' ? step.change.script : '';
};

describe('with ten thousand floating IPs', () => {
  const many = compiled(config(MANY));

  it('one more sends its own elements and nothing else', async () => {
    await netns.nft(planScript(await observeFirewall(netns), many));
    await netns.nft('add element inet astara fip_received { 198.18.0.1 counter packets 7 bytes 700 }\n');
    const after = compiled(config(MANY + 1));
    const script = scriptOf(many, after);
    expect(script.trimEnd().split('\n').sort()).toEqual([
      'add element inet astara fip_in { 198.18.39.16 : 10.1.39.16 }',
      'add element inet astara fip_out { 10.1.39.16 : 198.18.39.16 }',
      'add element inet astara limit_in { 198.18.39.16 limit rate over 1375000 bytes/second burst 1100000 bytes }',
      'add element inet astara limit_out { 198.18.39.16 limit rate over 250000 bytes/second burst 200000 bytes }',
      'add element inet astara limited { 198.18.39.16 }',
    ]);
    await netns.nft(script);
    const found = await observeFirewall(netns);
    expect(found.elements.fip_in.size).toBe(MANY + 1);
    expect(planScript(found, after)).toBe('');
    const counted = await netns.nftList('set inet astara fip_received');
    expect(JSON.stringify(counted)).toMatch(/"packets": ?7, ?"bytes": ?700/);
    await netns.nft(scriptOf(after, many));
    expect(planScript(await observeFirewall(netns), many)).toBe('');
  });

  it('a rule of a tenant sends its chain and nothing else', async () => {
    const anchors = (port: string) => [
      { name: 'one', rules: [{ action: 'block' as const, protocol: 'tcp' as const, destination_port: port }] },
      { name: 'two', rules: [{ action: 'pass' as const }] },
    ];
    const [first, second] = ['25', '26'].map((port) => compiled(config(MANY, { anchors: anchors(port) })));
    if (first === undefined || second === undefined) throw new Error('no state');
    await netns.nft(scriptOf(many, first));
    const script = scriptOf(first, second);
    expect(script).toMatch(
      /^flush chain inet astara anchor_\w+\nadd rule inet astara anchor_\w+ .* dport 26 drop comment "\w+"\n$/,
    );
    await netns.nft(script);
    expect(planScript(await observeFirewall(netns), second)).toBe('');
  });

  it('reckons in a few milliseconds', () => {
    const more = config(MANY + 1);
    const times = Array.from({ length: 9 }, () => {
      const start = performance.now();
      scriptOf(many, compiled(more));
      return performance.now() - start;
    }).sort((a, b) => a - b);
    // 9 ms on a quiet machine.
    expect(times[4]).toBeLessThan(100);
  });
});
