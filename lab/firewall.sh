# iptables, ebtables and ipsets of the Linux bridge agent in the root namespace: which tables were there before, and away with the rest.
iptables_tables() { nft list tables 2>/dev/null | sed -nE '/^table (ip|ip6|bridge|arp) (filter|nat|mangle|raw|security)$/p' | sort; }

remember_firewall() { iptables_tables >"$STATE/firewall-tables"; }

clean_firewall() {
  local family name table set
  [ -e "$STATE/firewall-tables" ] || return 0 # no agent of ours has been here
  while read -r _ family name; do nft delete table "$family" "$name"; done < <(iptables_tables | comm -23 - "$STATE/firewall-tables")
  while read -r _ family table; do
    case $family in
      ip) drop_neutron iptables "$table" ;;
      ip6) drop_neutron ip6tables "$table" ;;
      bridge) drop_neutron ebtables "$table" ;;
    esac
  done < <(iptables_tables)
  for set in $(ipset list -n 2>/dev/null | grep -E '^N(IPv[46]|ETIPv[46])'); do ipset destroy "$set"; done
  return 0
}

# In a table that others use too, only what names neutron goes.
drop_neutron() {
  local saved
  saved=$("$1-save" -t "$2" 2>/dev/null) || saved=$("$1-save" 2>/dev/null | sed -n "/^\*$2/,/^\*/p")
  grep -q neutron <<<"$saved" && grep -v neutron <<<"$saved" | "$1-restore" -T "$2" 2>/dev/null
}
