. "$LAB_CODE/agents.sh"
. "$LAB_CODE/namespaces.sh"

configure() {
  cat >"$CONF/dhcp_agent.ini" <<E2
[DEFAULT]
interface_driver = linuxbridge
state_path = $STATE/neutron-dhcp
metadata_proxy_socket = $STATE/neutron-metadata/metadata_proxy
enable_isolated_metadata = true
E2
}

prepare() { install -d -o neutron -g neutron "$STATE/neutron-dhcp"; }
run() { neutron_agent dhcp neutron-dhcp-agent dhcp_agent.ini; }
ready() { reported 60 'DHCP agent'; }

clean() {
  end_matching 'dnsmasq|haproxy'
  delete_namespaces '^qdhcp-'
  rm -rf "$STATE/neutron-dhcp"
}
