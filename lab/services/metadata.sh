. "$LAB_CODE/agents.sh"

# The socket is where the L3 agent's and the DHCP agent's proxies look for it: both are told the same path.
configure() {
  cat >"$CONF/metadata_agent.ini" <<E2
[DEFAULT]
state_path = $STATE/neutron-metadata
nova_metadata_host = $IP
nova_metadata_port = $NOVA_METADATA_PORT
metadata_proxy_shared_secret = $PASSWORD
metadata_workers = 1
E2
}

prepare() { install -d -o neutron -g neutron "$STATE/neutron-metadata"; }
run() { neutron_agent metadata neutron-metadata-agent metadata_agent.ini; }
ready() { reported 60 'Metadata agent'; }
