# Configuration of Astara's two programs in the lab.
ASTARA_RUN=/run/astara

# LAB_DHCP_MODE=port: until the next restart without it.
write_astara_conf() {
  cat >"$CONF/astara.ini" <<E2
[DEFAULT]
host = $LABHOST
transport_url = $(transport_url)

[keystone]
auth_url = http://$IP:$KEYSTONE_PORT/v3
username = astara
password = $PASSWORD
project_name = service
user_domain_name = Default
project_domain_name = Default
region_name = RegionOne

[metadata]
nova_metadata_host = $IP
nova_metadata_port = $NOVA_METADATA_PORT
metadata_proxy_shared_secret = $PASSWORD

[dhcp]
mode = ${LAB_DHCP_MODE:-router}
E2
  chmod 600 "$CONF/astara.ini"
}

astara_program() { # astara_program NAME PACKAGE
  local bin=$REPO/packages/$2/bin/$1.mjs
  # the options of its first line
  spawn "$1" root "$(node_24)" --max-semi-space-size=2 "$bin" --config-file "$CONF/astara.ini"
}
