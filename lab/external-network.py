"""The network `ext`: flat on physical network `external`, whose other end is the namespace labext. Argument: clouds.yaml."""
import os
import sys

os.environ['no_proxy'] = '*'
os.environ['OS_CLIENT_CONFIG_FILE'] = sys.argv[1]
import openstack  # noqa: E402  (reads the environment when imported)

neutron = openstack.connect(cloud='lab').network
ext = neutron.find_network('ext') or neutron.create_network(
    name='ext', is_router_external=True, provider_network_type='flat', provider_physical_network='external')
if not neutron.find_subnet('ext-sub'):
    neutron.create_subnet(network_id=ext.id, name='ext-sub', ip_version=4, cidr='203.0.113.0/24', gateway_ip='203.0.113.1',
                          is_dhcp_enabled=False, allocation_pools=[{'start': '203.0.113.10', 'end': '203.0.113.250'}])
if not neutron.find_subnet('ext-sub6'):
    neutron.create_subnet(network_id=ext.id, name='ext-sub6', ip_version=6, cidr='2001:db8:ffff::/64',
                          gateway_ip='2001:db8:ffff::1', is_dhcp_enabled=False)
