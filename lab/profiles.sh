# Which services make a profile, in the order they start. Each line is a stage: its services start side by side.
control_stages='mariadb rabbitmq
keystone neutron-server'
stock_stages="$control_stages
plumbing
linuxbridge metadata nova-metadata
l3 dhcp"
astara_stages="$control_stages
plumbing
linuxbridge nova-metadata astara-agent
astara-orchestrator"
ALL_SERVICES='mariadb rabbitmq keystone neutron-server plumbing linuxbridge nova-metadata metadata l3 dhcp astara-agent astara-orchestrator'

# The agents that Neutron knows of a profile. An agent is (type, host): stock and astara take each other's records over.
agent_types() {
  case $1 in
    stock) printf '%s\n' 'Linux bridge agent' 'Metadata agent' 'L3 agent' 'DHCP agent' ;;
    astara) printf '%s\n' 'Linux bridge agent' 'L3 agent' 'DHCP agent' ;;
  esac
}

in_profile() { [[ " $(stages "$2" | tr '\n' ' ')" == *" $1 "* ]]; } # in_profile SERVICE PROFILE

stages() {
  case $1 in
    control) echo "$control_stages" ;;
    stock) echo "$stock_stages" ;;
    astara) echo "$astara_stages" ;;
    *) cannot "no profile '$1': control, stock or astara" ;;
  esac
}
