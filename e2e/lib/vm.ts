import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network, Port } from '@astara/openstack/neutron-types.ts';
import { run } from './exec.ts';
import { LAB_HOST } from './lab.ts';
import { type Lease, leaseCommands, parseLease } from './lease.ts';
import { Machine } from './machine.ts';
import type { Cloud } from './openstack.ts';
import { waitFor } from './wait.ts';

export interface VmOptions {
  /** Added to the request for the port: `fixed_ips`, `project_id`, `extra_dhcp_opts`… */
  readonly port?: Readonly<Record<string, unknown>>;
  /** Security groups (an open one) and address checks on the port. Default true. */
  readonly portSecurity?: boolean;
}

/** Stands in for a virtual machine: a Neutron port of this host, and a namespace with the port's MAC behind its tap. */
export class Vm extends Machine {
  readonly cloud: Cloud;
  readonly port: Port;
  readonly tap: string;

  private constructor(netns: string, cloud: Cloud, port: Port) {
    super(netns);
    this.cloud = cloud;
    this.port = port;
    this.tap = `tap${port.id.slice(0, 11)}`;
  }

  /** The port and the wire; no address yet. */
  static async create(cloud: Cloud, name: string, network: Network, options: VmOptions = {}): Promise<Vm> {
    const netns = netnsOf(cloud, name);
    const project = options.port?.project_id;
    const security =
      options.portSecurity === false
        ? { port_security_enabled: false }
        : { security_groups: [(await cloud.openGroup(typeof project === 'string' ? project : undefined)).id] };
    const port = await cloud.createPort(network, name, {
      device_owner: 'compute:lab',
      device_id: netns,
      'binding:host_id': LAB_HOST,
      ...security,
      ...options.port,
    });
    return Vm.on(cloud, name, network, port);
  }

  /** On a port that is there already, which must be bound to this host. */
  static async on(cloud: Cloud, name: string, network: Network, port: Port): Promise<Vm> {
    const vm = new Vm(netnsOf(cloud, name), cloud, port);
    await vm.#plug(network);
    return vm;
  }

  /** The port's first address of a family; undefined when it has none. */
  address(family: 4 | 6 = 4): string | undefined {
    return this.port.fixed_ips.map(({ ip_address }) => ip_address).find((ip) => ip.includes(':') === (family === 6));
  }

  /** As Nova's os-vif does: the Linux bridge agent leaves the tap of a `compute:` port to it. */
  async #plug(network: Network): Promise<void> {
    const bridge = `brq${network.id.slice(0, 11)}`;
    await run(['ip', 'netns', 'add', this.netns]);
    await run(['ip', '-batch', '-'], {
      input: [
        `link add ${this.tap} type veth peer name eth0 netns ${this.netns} address ${this.port.mac_address}`,
        `link set ${this.tap} mtu ${network.mtu} up`,
        '',
      ].join('\n'),
    });
    await run(['ip', '-n', this.netns, '-batch', '-'], {
      input: `link set lo up\nlink set eth0 mtu ${network.mtu} up\n`,
    });
    // The agent may be making the same bridge at this moment.
    await run([
      'sh',
      '-c',
      `ip link show ${bridge} || ip link add ${bridge} type bridge stp_state 0 forward_delay 0 || ip link show ${bridge}`,
    ]);
    await run(['ip', '-batch', '-'], { input: `link set ${bridge} up\nlink set ${this.tap} master ${bridge}\n` });
  }

  /** Resolves when Neutron says that the port is ACTIVE: wired, and known to the DHCP server. */
  async active(timeout = 60_000): Promise<void> {
    const active = async () => (await this.cloud.get('port', this.port)).status === 'ACTIVE';
    await waitFor(`port of ${this.netns} to be ACTIVE`, active, { timeout, interval: 200 });
  }

  /** Asks for a lease with a real client, applies it and returns it. Rejects when nobody answers within `timeout` milliseconds. */
  async dhcp({ timeout = 30_000 }: { timeout?: number } = {}): Promise<Lease> {
    const leaseFile = `/run/${this.netns}.lease`;
    const options = ['router', 'dns', 'mtu', 'staticroutes', 'domain', 'hostname', 'lease', 'ntpsrv'].flatMap(
      (name) => ['-O', name],
    );
    const command = ['udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-t', String(Math.ceil(timeout / 1000)), '-T', '1'];
    try {
      await this.exec([...command, ...options, '-s', join(import.meta.dirname, 'inside/udhcpc-script')], {
        timeout: timeout + 5_000,
        env: { PATH: process.env.PATH, LEASE_FILE: leaseFile },
      });
      const lease = parseLease(await readFile(leaseFile, 'utf8'));
      await run(['ip', '-n', this.netns, '-batch', '-'], { input: `${leaseCommands('eth0', lease).join('\n')}\n` });
      await this.#writeResolvConf(lease);
      return lease;
    } finally {
      await rm(leaseFile, { force: true });
    }
  }

  /** Resolves with the address (CIDR) that the machine made from a router's announcement, when it has a default route too. */
  async slaac(timeout = 30_000): Promise<string> {
    return waitFor(
      `${this.netns} to have an IPv6 address by router advertisement`,
      async () => {
        const [address] = await this.addresses('eth0', 6);
        const route = await this.exec(['ip', '-6', 'route', 'show', 'default']);
        return address !== undefined && route !== '' ? address : undefined;
      },
      { timeout },
    );
  }

  /** For machines without DHCP. Addresses in CIDR form; `gateway` becomes the default route. */
  async configure(addresses: readonly string[], gateway?: string): Promise<void> {
    for (const address of addresses)
      await this.exec([
        'ip',
        'address',
        'replace',
        address,
        'dev',
        'eth0',
        ...(address.includes(':') ? ['nodad'] : []),
      ]);
    if (gateway !== undefined) await this.exec(['ip', 'route', 'replace', 'default', 'via', gateway, 'dev', 'eth0']);
  }

  /** `ip netns exec` shows it to the machine's programs as /etc/resolv.conf. */
  async #writeResolvConf(lease: Lease): Promise<void> {
    const lines = [
      ...lease.dns.map((server) => `nameserver ${server}`),
      ...(lease.domain ? [`search ${lease.domain}`] : []),
    ];
    await mkdir(`/etc/netns/${this.netns}`, { recursive: true });
    await writeFile(`/etc/netns/${this.netns}/resolv.conf`, `${lines.join('\n')}\n`);
  }

  /** The machine, its wire and its port. */
  async destroy(): Promise<void> {
    await this.unplug();
    await this.cloud.delete('port', this.port);
  }

  /** The machine and its wire; the port stays in Neutron. */
  async unplug(): Promise<void> {
    this.endPrograms();
    await run([
      'sh',
      '-c',
      `! ip netns pids ${this.netns} 2>/dev/null | xargs -r kill -KILL; ip link delete ${this.tap}; ip netns delete ${this.netns}; true`,
    ]);
    await rm(`/etc/netns/${this.netns}`, { recursive: true, force: true });
  }
}

const netnsOf = (cloud: Cloud, name: string) => `labvm-${cloud.named(name)}`;
