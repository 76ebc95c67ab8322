import { parseArgs } from 'node:util';
import { Scene } from '../e2e/lib/scene.ts';
import type { Vm } from '../e2e/lib/vm.ts';
import { type FloatingIpTimes, measureFloatingIps } from './l3-agent/floating-ip.ts';
import { type BenchRouter, ensureRouters } from './l3-agent/routers.ts';
import { Astara, type Side, Stock } from './l3-agent/side.ts';
import { measureFromNothing, measureRestart, type SyncTimes } from './l3-agent/sync.ts';
import { pss } from './lib/memory.ts';
import { type Figure, figure, finish, round, say } from './lib/report.ts';

/**
 * Astara against neutron-l3-agent on the same lab, the same routers, in one run:
 * (a) floating IP, (b) restart, (c) from nothing, (d) memory. `docs/reference/performance.md` explains the figures.
 */
const { values: options } = parseArgs({
  options: {
    routers: { type: 'string', default: '20,60' },
    repeat: { type: 'string', default: '50' },
    /** `shipped` is slow: seven minutes for 20 routers, twenty for 60. */
    peers: { type: 'string', default: 'best,shipped' },
    /** Most routers that the stock agent as shipped is measured with. */
    'shipped-up-to': { type: 'string', default: '60' },
  },
});

interface Result {
  readonly side: string;
  readonly routers: number;
  readonly floatingIp: FloatingIpTimes;
  readonly restart: SyncTimes;
  readonly fromNothing: SyncTimes;
  /** MiB, PSS */
  readonly memory: number;
}

const MACHINES = 5;
const peers = { best: () => new Stock('instant'), shipped: () => new Stock('real') };
const sides: Side[] = options.peers.split(',').map((name) => peers[name as keyof typeof peers]());
sides.push(new Astara());

async function measure(scene: Scene, side: Side, routers: readonly BenchRouter[]): Promise<Result> {
  say(`${side.name}, ${routers.length} routers`);
  await side.up();
  const fromNothing = await measureFromNothing(side, routers);
  const restart = await measureRestart(side, routers);
  const machines: Vm[] = [];
  for (const [at, { network }] of routers.slice(0, MACHINES).entries()) {
    const vm = await scene.vm(`${side.name.replaceAll(' ', '')}${routers.length}-${at}`, network);
    const [address] = vm.port.fixed_ips;
    await vm.configure([`${address?.ip_address}/24`], address?.ip_address.replace(/\d+$/, '1'));
    await vm.reaches('203.0.113.1', 120_000);
    machines.push(vm);
  }
  const floatingIp = await measureFloatingIps(scene, side, routers, machines, Number(options.repeat));
  const memory = round(pss(await side.pids()));
  say(`${side.name}, ${routers.length} routers: ${memory} MiB`);
  await Promise.all(machines.map((vm) => vm.destroy()));
  const result: Result = { side: side.name, routers: routers.length, floatingIp, restart, fromNothing, memory };
  say(JSON.stringify(result)); // a long run that ends early has said what it knew
  return result;
}

function compare(astara: Result, peer: Result): Figure[] {
  const name = (what: string) => `${what}, ${peer.routers} routers, against ${peer.side}`;
  return [
    figure(
      name('floating IP: answer → rule, p50'),
      's',
      astara.floatingIp.ruleAfter.p50,
      peer.floatingIp.ruleAfter.p50,
    ),
    figure(
      name('floating IP: answer → rule, p99'),
      's',
      astara.floatingIp.ruleAfter.p99,
      peer.floatingIp.ruleAfter.p99,
    ),
    figure(
      name('floating IP: answer → packet, p50'),
      's',
      astara.floatingIp.packetAfter.p50,
      peer.floatingIp.packetAfter.p50,
    ),
    figure(
      name('floating IP: answer → packet, p99'),
      's',
      astara.floatingIp.packetAfter.p99,
      peer.floatingIp.packetAfter.p99,
    ),
    figure(name('restart'), 's', astara.restart.all, peer.restart.all),
    figure(name('from nothing'), 's', astara.fromNothing.all, peer.fromNothing.all),
    figure(name('memory (PSS)'), 'MiB', astara.memory, peer.memory),
  ];
}

await new Astara().up(); // the lab, when it is not there yet
await using scene = new Scene('bench');
const results: Result[] = [];
const figures: Figure[] = [];
let routers: BenchRouter[] = [];
for (const count of options.routers.split(',').map(Number)) {
  // Made while Astara serves: it is through with them when the API is.
  await new Astara().up();
  routers = await ensureRouters(scene.cloud, routers, count);
  const ofThisCount: Result[] = [];
  for (const side of sides) {
    if (side.name === 'stock as shipped' && count > Number(options['shipped-up-to'])) continue;
    ofThisCount.push(await measure(scene, side, routers));
  }
  results.push(...ofThisCount);
  const astara = ofThisCount.at(-1);
  if (astara) figures.push(...ofThisCount.slice(0, -1).flatMap((peer) => compare(astara, peer)));
}
finish('l3-agent', figures, { results });
