import type { InterfaceStatus } from '@astara/model/appliance/api/status.ts';
import type { Appliance } from '../../appliance.ts';

/** The interfaces as the kernel has them, and which network each is. Without `lo`. */
export async function interfaces(appliance: Appliance): Promise<InterfaceStatus[]> {
  const { netns } = appliance.home;
  const [links, addresses] = await Promise.all([netns.links(), netns.addresses()]);
  const networks = new Map(appliance.config()?.networks.map((network) => [network.interface.ifname, network]));
  return links
    .filter(({ ifname }) => ifname !== 'lo')
    .map(({ ifname, mac, mtu, up, running, kind }) => {
      const network = networks.get(ifname);
      return {
        ifname,
        mac_address: mac,
        mtu,
        up,
        running,
        ...(kind === undefined ? {} : { kind }),
        addresses: addresses.filter((address) => address.ifname === ifname).map(({ cidr }) => cidr),
        ...(network === undefined ? {} : { network_id: network.network_id, network_type: network.network_type }),
      };
    });
}
