port=$NEUTRON_PORT

configure() {
  . "$LAB_CODE/neutron-config.sh"
  write_neutron_conf
  write_ml2_conf
}

prepare() {
  create_database neutron
  install -d -o neutron -g neutron "$STATE/neutron" "$STATE/neutron/lock"
  as neutron neutron-db-manage --config-file "$CONF/neutron.conf" --config-file "$CONF/ml2_conf.ini" upgrade heads
}

run() { spawn neutron-server neutron neutron-server --config-file "$CONF/neutron.conf" --config-file "$CONF/ml2_conf.ini"; }
ready() { wait_for 120 'neutron-server' answers "$NEUTRON_PORT" /; }

# Once: the external network. Keystone may still be starting, and its endpoints are needed.
populate() {
  wait_for 120 "Keystone's endpoints" test -e "$STATE/keystone.populated" &&
    /usr/bin/python3 "$LAB_CODE/external-network.py" "$ASTARA_LAB/clouds.yaml"
}
