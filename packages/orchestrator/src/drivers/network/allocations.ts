import type { Allocation, DhcpOption } from '@astara/model/appliance/network.ts';
import type { Port, Subnet } from '@astara/openstack/neutron-types.ts';
import { isDhcpClient } from '../../neutron/machinery.ts';

/**
 * The ports with an address in one of the subnets, in the order given. `serves`: whether DHCP is answered here at all; else the
 * allocations only say whose metadata request comes from an address.
 */
export function allocationsOf(ports: readonly Port[], subnets: readonly Subnet[], serves: boolean): Allocation[] {
  const byId = new Map(subnets.map((subnet) => [subnet.id, subnet]));
  return ports.filter(isDhcpClient).flatMap((port) => {
    const addresses: [string, boolean][] = [];
    for (const ip of port.fixed_ips) {
      const subnet = byId.get(ip.subnet_id);
      if (subnet !== undefined) addresses.push([ip.ip_address, serves && handsOut(subnet)]);
    }
    const first = addresses[0];
    if (first === undefined) return [];
    const options = port.extra_dhcp_opts.map(dhcpOption).filter((option) => option !== undefined);
    return [
      {
        mac_address: port.mac_address,
        ip_addresses: Object.fromEntries(addresses),
        hostname: hostnameOf(port, first[0]),
        device_id: /^[\x20-\x7e]{0,255}$/.test(port.device_id) ? port.device_id : '',
        port_id: port.id,
        ...(/^[0-9a-fA-F-]{1,64}$/.test(port.tenant_id) ? { tenant_id: port.tenant_id } : {}),
        ...(serves && options.length > 0 ? { dhcp_options: options } : {}),
      },
    ];
  });
}

/** With SLAAC and stateless DHCPv6 the address comes from the advertisement, not from DHCP. */
function handsOut(subnet: Subnet): boolean {
  if (!subnet.enable_dhcp) return false;
  return subnet.ip_version === 4 || subnet.ipv6_address_mode === 'dhcpv6-stateful';
}

/** `host-10-0-0-5`, as neutron-dhcp-agent names them, unless the port has a DNS name. */
export function hostnameOf(port: Port, address: string): string {
  if (port.dns_name !== undefined && isLabel(port.dns_name)) return port.dns_name;
  const text = `host-${address.replaceAll(/[.:]/g, '-')}`;
  return text.endsWith('-') ? `${text}0` : text;
}

function isLabel(text: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(text);
}

/** Undefined for what has no meaning as an option: such a one is left out rather than let the whole configuration be refused. */
function dhcpOption(option: Port['extra_dhcp_opts'][number]): DhcpOption | undefined {
  const name = option.opt_name.toLowerCase().replace(/^option6?:/, '');
  const value = option.opt_value ?? '';
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(name) || !/^[\x20-\x7e]{0,255}$/.test(value)) return undefined;
  return { name, value, ip_version: option.ip_version === 6 ? 6 : 4 };
}
