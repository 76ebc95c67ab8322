port=$RABBITMQ_PORT

configure() {
  cat >"$CONF/rabbitmq.conf" <<E2
listeners.tcp.1 = $IP:$RABBITMQ_PORT
loopback_users = none
default_user = openstack
default_pass = $PASSWORD
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
log.file.level = warning
E2
}

prepare() { install -d -o rabbitmq -g rabbitmq "$STATE/rabbitmq"; }

# epmd is Erlang's name server: started here, so that the broker does not start one on every address.
run() {
  install -d -o rabbitmq -g rabbitmq "$LOGS/rabbitmq"
  spawn epmd rabbitmq epmd -address "$IP" -port "$EPMD_PORT"
  spawn rabbitmq rabbitmq env $(rabbitmq_environment) \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
}

rabbitmq_environment() {
  echo "ERL_EPMD_ADDRESS=$IP ERL_EPMD_PORT=$EPMD_PORT RABBITMQ_NODENAME=lab@localhost RABBITMQ_NODE_IP_ADDRESS=$IP" \
    "RABBITMQ_MNESIA_BASE=$STATE/rabbitmq RABBITMQ_LOG_BASE=$LOGS/rabbitmq RABBITMQ_CONFIG_FILE=$CONF/rabbitmq.conf" \
    "RABBITMQ_ENABLED_PLUGINS_FILE=$STATE/rabbitmq/enabled_plugins RABBITMQ_PID_FILE=$RUN/rabbitmq.beam.pid"
}

ready() { wait_for 90 'RabbitMQ' answers "$RABBITMQ_PORT"; }
clean() { end epmd 1; }
