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

stages() {
  case $1 in
    control) echo "$control_stages" ;;
    stock) echo "$stock_stages" ;;
    astara) echo "$astara_stages" ;;
    *) cannot "no profile '$1': control, stock or astara" ;;
  esac
}
