import { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { InstanceSpec } from '@astara/model/instance.ts';
import { validator } from '@astara/model/validate.ts';
import { expect, test } from 'vitest';
import { dhcpDeviceId } from '../../neutron/device-id.ts';
import { Mirror } from '../../neutron/mirror/mirror.ts';
import { network, port, subnet } from '../../testing/objects.ts';
import { NetworkDriver } from './driver.ts';

const subnets = [
  subnet('c1', 'b1', '10.0.0.0/24', {
    gateway_ip: null,
    dns_nameservers: ['9.9.9.9'],
    host_routes: [{ destination: '172.20.0.0/16', nexthop: '10.0.0.250' }],
  }),
  subnet('c6', 'b1', 'fd00:1::/64', { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' }),
  subnet('c7', 'b1', '10.7.0.0/24', { enable_dhcp: false }),
];
const own = port('12345678-9abc-def0', 'b1', {
  device_owner: 'network:dhcp',
  device_id: dhcpDeviceId('lab1', 'b1'),
  mac_address: 'fa:16:3e:00:00:02',
  fixed_ips: [
    { subnet_id: 'c1', ip_address: '10.0.0.2' },
    { subnet_id: 'c6', ip_address: 'fd00:1::2' },
  ],
  'binding:vif_type': 'ovs',
});
const vm = port('ab1', 'b1', {
  fixed_ips: [
    { subnet_id: 'c1', ip_address: '10.0.0.5' },
    { subnet_id: 'c6', ip_address: 'fd00:1::' },
    { subnet_id: 'c7', ip_address: '10.7.0.5' },
  ],
});

test('a network without a router: DHCP, DNS and metadata on its DHCP port, and nothing that routes', () => {
  const mirror = new Mirror();
  mirror.ingestNetworks([network('b1', subnets, [own, vm])], mirror.stamp());
  mirror.l3.filled = true;
  mirror.dhcp.filled = true;
  const driver = new NetworkDriver({
    mirror,
    host: 'lab1',
    mode: 'router',
    defaults: {
      plug: 'bridge',
      metadataEndpoint: 'unix:/run/astara/metadata.sock',
      dnsForwarders: [],
      dnsDomain: 'openstacklocal',
      leaseDuration: 600,
    },
    ready: { applied: () => undefined, removed: () => undefined },
  });
  const desired = driver.desired('b1');
  if (typeof desired === 'string') throw new Error(desired);
  expect(validator(ApplianceConfig)(desired.config)).toMatchObject({ ok: true });
  expect(validator(InstanceSpec)(desired.spec)).toMatchObject({ ok: true });
  expect(desired.spec.attachments).toEqual([
    {
      port_id: '12345678-9abc-def0',
      network_id: 'b1',
      mac_address: 'fa:16:3e:00:00:02',
      mtu: 1450,
      ifname: 'ns-12345678-9a',
      plug: 'ovs',
    },
  ]);
  expect(desired.config).toEqual({
    hostname: 'ak-network-b1',
    tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
    networks: [
      {
        network_id: 'b1',
        name: 'b1',
        network_type: 'isolated',
        interface: {
          ifname: 'ns-12345678-9a',
          addresses: ['10.0.0.2/24', 'fd00:1::2/64'],
          mtu: 1450,
          mac_address: 'fa:16:3e:00:00:02',
        },
        v4_conf_service: 'static',
        v6_conf_service: 'static',
        subnets: [
          {
            id: 'c1',
            cidr: '10.0.0.0/24',
            gateway_ip: null,
            dhcp_enabled: true,
            dns_nameservers: ['9.9.9.9'],
            host_routes: [
              { destination: '172.20.0.0/16', nexthop: '10.0.0.250' },
              { destination: '169.254.169.254/32', nexthop: '10.0.0.2' },
            ],
            ipv6_ra_mode: null,
          },
          {
            id: 'c6',
            cidr: 'fd00:1::/64',
            gateway_ip: 'fd00:1::1',
            dhcp_enabled: true,
            dns_nameservers: [],
            host_routes: [],
            ipv6_ra_mode: null,
          },
        ],
        allocations: [
          {
            port_id: 'ab1',
            mac_address: 'fa:16:3e:00:00:01',
            ip_addresses: { '10.0.0.5': true, 'fd00:1::': true },
            hostname: 'host-10-0-0-5',
            device_id: 'vm',
            tenant_id: 'f2a2dfdfc0d343c9831c3b8fb0269427',
          },
        ],
        dns_domain: 'openstacklocal',
      },
    ],
    default_v4_gateway: null,
    default_v6_gateway: null,
    snat: false,
    floating_ips: [],
    static_routes: [],
    metadata: { endpoint: 'unix:/run/astara/metadata.sock' },
    dhcp_lease_duration: 600,
  });
  expect([...(desired.served.get('b1')?.keys() ?? [])]).toEqual(['12345678-9abc-def0', 'ab1']);
});
