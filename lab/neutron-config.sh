# Configuration of neutron-server, shared by the agents.
write_neutron_conf() {
  cat >"$CONF/neutron.conf" <<E2
[DEFAULT]
host = $LABHOST
bind_host = $IP
bind_port = $NEUTRON_PORT
auth_strategy = keystone
core_plugin = ml2
service_plugins = router,port_forwarding
api_paste_config = /etc/neutron/api-paste.ini
state_path = $STATE/neutron
transport_url = $(transport_url)
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
dhcp_agents_per_network = 1
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[agent]
root_helper = sudo neutron-rootwrap /etc/neutron/rootwrap.conf
root_helper_daemon = sudo neutron-rootwrap-daemon /etc/neutron/rootwrap.conf
[database]
connection = $(database neutron)
max_pool_size = 10
[experimental]
linuxbridge = true
[keystone_authtoken]
$(service_credentials neutron)
service_token_roles_required = true
[oslo_concurrency]
lock_path = $STATE/neutron/lock
[oslo_messaging_notifications]
driver = messagingv2
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
[oslo_policy]
policy_dirs = /etc/neutron/policy.d
[quotas]
quota_network = -1
quota_subnet = -1
quota_port = -1
quota_router = -1
quota_floatingip = -1
quota_security_group = -1
quota_security_group_rule = -1
E2
}

write_ml2_conf() {
  cat >"$CONF/ml2_conf.ini" <<E2
[ml2]
type_drivers = flat,vxlan,local
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,l2population
extension_drivers = port_security
[ml2_type_flat]
flat_networks = external
[ml2_type_vxlan]
vni_ranges = 1000:4000
[securitygroup]
enable_security_group = true
enable_ipset = true
E2
}
