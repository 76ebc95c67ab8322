import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { networkOf, parseCidr } from '@astara/model/ip.ts';
import { type DnsName, dnsName, type Ip, ifname, ip, type Prefix, prefix } from '../../values.ts';
import type { Served } from './desired.ts';
import type { DnsNode, NameNode } from './nodes.ts';
import { ownAddresses } from './own.ts';

/** The names of one network. */
interface Zone {
  readonly domain: DnsName;
  readonly subnets: readonly Prefix[];
  readonly names: readonly NameNode[];
}

/** What the DNS of each network knows: its own names, and those of networks that show theirs to the whole appliance. */
export function dnsNodes(config: ApplianceConfig, served: readonly Served[]): Map<Served, DnsNode> {
  const zones = served.map((each) => ({ each, zone: zoneOf(each) }));
  const shown = zones.filter(({ each }) => each.network.dns_visibility === 'appliance');
  return new Map(
    zones.map(({ each, zone }) => {
      const others = shown.filter((other) => other.each !== each).map((other) => other.zone);
      const all = [zone, ...others];
      return [
        each,
        Object.freeze({
          ifname: ifname(each.network.interface.ifname, `${each.field}/interface/ifname`),
          own: ownAddresses(each.network),
          domains: [...new Set(all.map(({ domain }) => domain))],
          subnets: [...new Set(all.flatMap(({ subnets }) => subnets))],
          upstream: upstream(config, each),
          names: [...zone.names, ...others.flatMap(({ names }) => names.flatMap(qualified))],
        }),
      ];
    }),
  );
}

function zoneOf({ network, field }: Served): Zone {
  const domain = dnsName(network.dns_domain ?? 'openstacklocal', `${field}/dns_domain`);
  const ports = new Map<string, NameNode>();
  network.allocations.forEach(({ hostname, ip_addresses }, position) => {
    const place = `${field}/allocations/${position}`;
    const name = dnsName(hostname, `${place}/hostname`);
    for (const text in ip_addresses) {
      const address = ip(text, `${place}/ip_addresses`);
      ports.set(address, portNames(address, name, domain));
    }
  });
  const records = (network.host_records ?? []).flatMap(({ name, addresses }, position) => {
    const place = `${field}/host_records/${position}`;
    const names = recordNames(name, domain, `${place}/name`);
    return addresses.map((address) => ({ address: ip(address, `${place}/addresses`), names }));
  });
  return {
    domain,
    subnets: network.subnets.flatMap(({ cidr }, position) => {
      const parsed = parseCidr(cidr);
      // A prefix of no length would be all the world.
      if (parsed === undefined || parsed.prefix === 0) return [];
      return [networkOf(prefix(cidr, `${field}/subnets/${position}/cidr`)) as Prefix];
    }),
    // The first name of an address is the one that is told to who asks by address: that of the port.
    names: [...ports.values(), ...records],
  };
}

/** The port's name, and one made from the address, with and without the domain. Names of checked labels need no check. */
function portNames(address: Ip, hostname: DnsName, domain: DnsName): NameNode {
  const dashes = address.includes(':') ? address.replaceAll(':', '-').replace(/-+$/, '') : address.replaceAll('.', '-');
  const made = `host-${dashes}`;
  const names = hostname === made ? [] : [`${hostname}.${domain}`, hostname];
  return { address, names: [...names, `${made}.${domain}`, made] as DnsName[] };
}

function recordNames(text: string, domain: DnsName, field: string): DnsName[] {
  const name = dnsName(text, field);
  if (text.endsWith('.')) return [name];
  const full = dnsName(`${name}.${domain}`, field);
  return name.includes('.') ? [full] : [full, name];
}

/** Elsewhere a short name may be somebody else's. */
function qualified({ address, names }: NameNode): NameNode[] {
  const kept = names.filter((name) => name.includes('.'));
  return kept.length === 0 ? [] : [{ address, names: kept }];
}

function upstream(config: ApplianceConfig, { network, field }: Served): DnsNode['upstream'] {
  if (network.dns_forwarders !== undefined) {
    return network.dns_forwarders.map((address, index) => ip(address, `${field}/dns_forwarders/${index}`));
  }
  const given = config.dns_forwarders ?? [];
  return given.length === 0 ? 'host' : given.map((address, index) => ip(address, `/dns_forwarders/${index}`));
}
