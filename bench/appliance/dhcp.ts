import { writeFileSync } from 'node:fs';
import { until } from '@astara/appliance/processes.ts';
import { roleDirectory, serverPaths } from '@astara/appliance/services/dhcp/state.ts';
import { hostAddress, hostConfig, hostMac, knows, manyHosts, Watch } from '@astara/appliance/testing/many-hosts.ts';
import type { Served } from '@astara/appliance/testing/served.ts';
import { pss } from '../lib/memory.ts';
import { round, type Spread, say, spread } from '../lib/report.ts';

export interface Change {
  /** ms, from the configuration to the end of the apply: what it is to be, what differs, files. */
  readonly apply: Spread;
  /** ms, from the configuration to the DNS answer that shows it. */
  readonly answered: Spread;
  /** ms, the longest that a question to DNS and to DHCP had to wait meanwhile. */
  readonly dnsHeldUp: Spread;
  readonly dhcpHeldUp: Spread;
}

export interface DhcpHosts {
  readonly hosts: number;
  readonly leases: number;
  /** ms, from nothing to the first answer about the last host. */
  readonly start: number;
  readonly added: Change;
  /** Everything is read again. */
  readonly removed: Change;
  /** MiB of both dnsmasqs, PSS. */
  readonly memory: number;
}

/** One network with so many hosts, of which so many have a lease: what a change costs. Root; a few seconds for each repeat. */
export async function dhcpHosts(hosts: number, leases: number, repeat: number): Promise<DhcpHosts> {
  const served = await manyHosts();
  try {
    const indexes = Array.from({ length: hosts }, (_, index) => index + 2);
    const begin = performance.now();
    await served.apply(hostConfig(indexes));
    await until(() => knows(served.world.netns, hosts + 1), 30_000);
    const start = performance.now() - begin;
    if (leases > 0) await giveLeases(served, leases);

    const added: Sample[] = [];
    const removed: Sample[] = [];
    for (let turn = 0; turn < repeat; turn += 1) {
      const more = hosts + 2 + turn;
      added.push(await change(served, [...indexes, more], more, true));
      removed.push(await change(served, indexes, more, false));
    }
    const pids = await Promise.all([served.pid('qr-a', 'dns'), served.pid('qr-a', 'dhcp')]);
    const memory = round(pss(pids.filter((pid) => pid !== undefined)));
    const result = { hosts, leases, start: round(start), added: summary(added), removed: summary(removed), memory };
    say(JSON.stringify(result));
    return result;
  } finally {
    await served.destroy();
  }
}

interface Sample {
  readonly apply: number;
  readonly answered: number;
  readonly longest: { readonly dns: number; readonly dhcp: number };
}

/** `shown`: the host by which one sees it, which is `known` afterwards. */
async function change(served: Served, next: readonly number[], shown: number, known: boolean): Promise<Sample> {
  const config = hostConfig(next);
  const watch = await Watch.start(served);
  const begin = performance.now();
  await served.apply(config);
  const apply = performance.now() - begin;
  await until(async () => (await knows(served.world.netns, shown)) === known, 30_000);
  const answered = performance.now() - begin;
  return { apply, answered, longest: await watch.stop() };
}

/** As if so many hosts had asked: dnsmasq finds their leases when it starts. */
async function giveLeases(served: Served, leases: number): Promise<void> {
  const { leases: file } = serverPaths(roleDirectory(served.world.home.runDir, 'qr-a', 'dhcp'));
  const pid = await served.pid('qr-a', 'dhcp');
  if (pid === undefined) throw new Error('there is no dnsmasq for DHCP');
  const expiry = Math.floor(Date.now() / 1000) + 86_400;
  const lines = Array.from({ length: leases }, (_, index) => {
    return `${expiry} ${hostMac(index + 2)} ${hostAddress(index + 2)} h${index + 2} 01:${hostMac(index + 2)}\n`;
  });
  process.kill(pid, 'SIGKILL');
  writeFileSync(file, lines.join(''));
  await until(async () => ![undefined, pid].includes(await served.pid('qr-a', 'dhcp')), 10_000);
}

function summary(all: readonly Sample[]): Change {
  return {
    apply: spread(all.map(({ apply }) => apply)),
    answered: spread(all.map(({ answered }) => answered)),
    dnsHeldUp: spread(all.map(({ longest }) => longest.dns)),
    dhcpHeldUp: spread(all.map(({ longest }) => longest.dhcp)),
  };
}
