. "$LAB_CODE/agents.sh"

configure() {
  cat >"$CONF/linuxbridge_agent.ini" <<E2
[linux_bridge]
physical_interface_mappings = external:labext0
[vxlan]
enable_vxlan = true
local_ip = 10.199.0.1
l2_population = true
[securitygroup]
enable_security_group = true
firewall_driver = iptables
[agent]
polling_interval = 2
E2
}

run() { neutron_agent linuxbridge neutron-linuxbridge-agent linuxbridge_agent.ini; }
ready() { reported 60 'Linux bridge agent'; }

clean() {
  local link
  for link in $(ip -o link | awk -F': ' '{sub(/@.*/, "", $2); print $2}' | grep -E '^(brq|tap)[0-9a-f]{8}-[0-9a-f]{2}$|^vxlan-[0-9]+$'); do
    ip link delete "$link" 2>/dev/null
  done
  . "$LAB_CODE/firewall.sh"
  clean_firewall
}
