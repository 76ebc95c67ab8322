import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../../e2e/lib/exec.ts';
import type { Scene } from '../../e2e/lib/scene.ts';
import type { Vm } from '../../e2e/lib/vm.ts';
import { waitFor } from '../../e2e/lib/wait.ts';
import { type Spread, say, spread } from '../lib/report.ts';
import type { BenchRouter } from './routers.ts';
import type { Side } from './side.ts';

/** Seconds. "After" is counted from the API's answer to the request that associates the floating IP. */
export interface FloatingIpTimes {
  readonly api: Spread;
  readonly ruleAfter: Spread;
  readonly packetAfter: Spread;
  /** From the request's start, which is what a person waits for. */
  readonly packetFromRequest: Spread;
}

/**
 * Associates a fresh floating IP with a machine behind one of `routers`, `times` times, and looks without pause for the rule in the
 * router's kernel and for the first answer to a ping from the external network.
 */
export async function measureFloatingIps(
  scene: Scene,
  side: Side,
  routers: readonly BenchRouter[],
  machines: readonly Vm[],
  times: number,
): Promise<FloatingIpTimes> {
  // An unanswered ARP request is repeated after 10 ms instead of 1 s, so that neither side waits for the asker's clock.
  for (const setting of ['retrans_time_ms=10', 'mcast_solicit=500', 'delay_first_probe_time=1'])
    await scene.external.exec(['sysctl', '-qw', `net.ipv4.neigh.ext0.${setting}`]);
  const api: number[] = [];
  const rule: number[] = [];
  const packet: number[] = [];
  const fromRequest: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const vm = machines[turn % machines.length];
    const router = routers[turn % machines.length];
    if (vm === undefined || router === undefined) throw new Error('no machine to measure with');
    const sample = await once(scene, side.netns(router.router.id), vm);
    api.push(sample.answered - sample.asked);
    rule.push(Math.max(0, sample.ruleSeen - sample.answered));
    packet.push(Math.max(0, sample.packetSeen - sample.answered));
    fromRequest.push(sample.packetSeen - sample.asked);
  }
  const measured = {
    api: spread(api),
    ruleAfter: spread(rule),
    packetAfter: spread(packet),
    packetFromRequest: spread(fromRequest),
  };
  say(
    `${side.name}: floating IP: rule ${measured.ruleAfter.p50} s, packet ${measured.packetAfter.p50} s after the API's answer (p50 of ${times})`,
  );
  return measured;
}

async function once(
  scene: Scene,
  netns: string,
  vm: Vm,
): Promise<{ asked: number; answered: number; ruleSeen: number; packetSeen: number }> {
  const floating = await scene.cloud.createFloatingIp();
  const address = floating.floating_ip_address;
  const first = firstAnswer(scene, address);
  try {
    await sleep(700); // what the turn before left to do must have ended
    const now = () => performance.now() / 1000;
    const asked = now();
    const associate = scene.cloud.updateFloatingIp(floating, vm.port).then(now);
    const look = async () =>
      (await execute(['ip', 'netns', 'exec', netns, 'nft', 'list', 'ruleset'])).stdout.includes(address)
        ? now()
        : undefined;
    const [answered, ruleSeen, packetSeen] = await Promise.all([
      associate,
      waitFor(`${address} in the kernel`, look, { timeout: 120_000, interval: 0 }),
      first.seen.then(now),
    ]);
    return { asked, answered, ruleSeen, packetSeen };
  } finally {
    first.stop();
    await scene.cloud.delete('floatingip', floating);
  }
}

function firstAnswer(scene: Scene, address: string): { seen: Promise<void>; stop: () => void } {
  const child = scene.external.spawn(['stdbuf', '-oL', 'ping', '-n', '-i', '0.01', address]);
  const seen = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (text: Buffer) => {
      if (text.includes('bytes from') && text.includes('time=')) resolve();
    });
    child.once('close', () => reject(new Error(`the ping of ${address} ended without an answer`)));
  });
  seen.catch(() => {}); // awaited only when the rule is there
  return { seen, stop: () => child.kill('SIGKILL') };
}
