# Debian packages: which a verb needs and why, and installing the missing ones without letting their daemons start.
PACKAGES_NPM='nodejs npm ca-certificates'
PACKAGES_ASTARA='iproute2 iputils-ping nftables libnftables1 dnsmasq-base bird2 catatonit conntrack procps'
PACKAGES_VPN='charon-systemd libstrongswan-standard-plugins libcharon-extra-plugins'
PACKAGES_HA='keepalived conntrackd conntrack'
PACKAGES_DEMO="$PACKAGES_ASTARA busybox udhcpc curl"
PACKAGES_UNIT="$PACKAGES_DEMO $PACKAGES_VPN $PACKAGES_HA git curl openssl openvswitch-switch rabbitmq-server iputils-ping socat ndisc6 udhcpc isc-dhcp-client tcpdump iperf3"
PACKAGES_CONTROL='rabbitmq-server mariadb-server python3-pymysql keystone uwsgi-core uwsgi-plugin-python3 neutron-server python3-openstackclient procps iproute2 nftables'
PACKAGES_L2='neutron-linuxbridge-agent iptables ebtables ipset conntrack bridge-utils sudo'
PACKAGES_STOCK='neutron-dhcp-agent neutron-metadata-agent dnsmasq-base haproxy keepalived radvd'
PACKAGES_E2E='udhcpc socat ndisc6 iputils-ping tcpdump'

packages_of_profile() {
  case $1 in
    control) echo "$PACKAGES_CONTROL" ;;
    stock) echo "$PACKAGES_CONTROL $PACKAGES_L2 $PACKAGES_STOCK $(packages_l3)" ;;
    astara) echo "$PACKAGES_CONTROL $PACKAGES_L2 $PACKAGES_ASTARA" ;;
    *) cannot "no profile '$1': control, stock or astara" ;;
  esac
}

# neutron-l3-agent depends on iputils-arping, which would remove Debian's other `arping`. Where somebody uses that one,
# it stays: the program of the agent is in neutron-common, and the lab carries the right arping (lab/overrides.sh).
packages_l3() { installed arping || echo neutron-l3-agent; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# need_packages WHY PACKAGE...
need_packages() {
  local why=$1 package missing=()
  shift
  command -v dpkg-query >/dev/null || cannot "this is not Debian or one of its kin (no dpkg): install by hand what $why needs: $*"
  for package in $(tr ' ' '\n' <<<"$*" | sort -u); do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] && return
  say "installing for $why, by apt: ${missing[*]}"
  as_root "installing packages for $why" "$REPO/scripts/apt-install" "${missing[@]}" || cannot "apt could not install: ${missing[*]}"
}
