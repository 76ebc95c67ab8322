. "$LAB_CODE/agents.sh"
. "$LAB_CODE/namespaces.sh"

configure() {
  cat >"$CONF/l3_agent.ini" <<E2
[DEFAULT]
interface_driver = linuxbridge
state_path = $STATE/neutron-l3
metadata_proxy_socket = $STATE/neutron-metadata/metadata_proxy
E2
}

prepare() { install -d -o neutron -g neutron "$STATE/neutron-l3"; }
run() { neutron_agent l3 neutron-l3-agent l3_agent.ini; }
ready() { reported 60 'L3 agent'; }

clean() {
  end_matching 'haproxy|radvd|keepalived|neutron-keepalived-state-change'
  delete_namespaces '^(qrouter|snat|fip)-'
  rm -rf "$STATE/neutron-l3"
}
