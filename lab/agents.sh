# Shared by the services that are Neutron agents.
reported() { # reported SECONDS TYPE...
  local patience=$1
  shift
  /usr/bin/python3 "$LAB_CODE/wait-for-agents.py" "$ASTARA_LAB/clouds.yaml" "$LABHOST" "$patience" "$RUN/$service.pid" "$@"
}

neutron_agent() { # neutron_agent NAME PROGRAM CONFIGURATION
  spawn "$1" neutron "$2" --config-file "$CONF/neutron.conf" --config-file "$CONF/$3"
}
