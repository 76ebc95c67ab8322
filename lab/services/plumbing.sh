# What the agents expect of a network node: a physical network (`labext0`, whose other end is the namespace labext, the
# "internet" of the lab), an underlay for VXLAN (`labtun0`), and the few programs that must be found before the system's.
SUDOERS=/etc/sudoers.d/astara-lab

prepare() { . "$LAB_CODE/firewall.sh" && remember_firewall; }

run() {
  . "$LAB_CODE/overrides.sh"
  write_overrides
  veth labext labext0 ext0
  ip -n labext address replace 203.0.113.1/24 dev ext0
  ip -n labext address replace 2001:db8:ffff::1/64 dev ext0 nodad
  veth labtun labtun0 tun0
  ip address replace 10.199.0.1/24 dev labtun0
  ip -n labtun address replace 10.199.0.254/24 dev tun0
}

veth() { # veth NAMESPACE DEVICE PEER
  ip netns list | grep -qw "^$1" || ip netns add "$1"
  ip link show "$2" >/dev/null 2>&1 || ip link add "$2" type veth peer name "$3" netns "$1"
  ip -n "$1" link set lo up
  ip -n "$1" link set "$3" up
  ip link set "$2" up
}

running() { ip link show labext0 >/dev/null 2>&1 && ip link show labtun0 >/dev/null 2>&1 && [ -e "$SUDOERS" ]; }

clean() {
  local name
  for name in labext0 labtun0; do ip link delete "$name" 2>/dev/null; done
  for name in $(ip netns list | awk '{print $1}' | grep -E '^(labext$|labtun$|labvm-)'); do
    ip netns pids "$name" | xargs -r kill -KILL
    ip netns delete "$name"
  done
  rm -rf "$SUDOERS" /etc/netns/labvm-*
  rmdir /etc/netns 2>/dev/null || true
}
