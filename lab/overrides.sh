# Programs that the agents (user neutron, through sudo) find before the system's.
write_overrides() {
  mkdir -p "$OPT"
  install -m 755 "$LAB_CODE/opt/ebtables" "$OPT/ebtables"
  [ -e "$OPT/arping" ] || choose_arping real
  printf '# Lab only. Written by %s\nDefaults:neutron secure_path="%s:%s"\n' "$LAB_CODE" "$OPT" "$PATH" >"$SUDOERS.new"
  chmod 440 "$SUDOERS.new"
  mv "$SUDOERS.new" "$SUDOERS"
}

# neutron-l3-agent announces addresses with iputils' arping. Debian's other `arping` conflicts with that package, so where
# that one is installed the lab carries iputils' own, taken out of the package without installing it.
# `instant`: announcements cost nothing; what the L3 agent could reach at its best (benches only).
choose_arping() {
  rm -f "$OPT/arping"
  case $1 in
    instant) printf '#!/bin/sh\nexit 0\n' >"$OPT/arping" ;;
    real) arping -V 2>&1 | grep -q iputils || extract_arping ;;
    *) cannot "garp: real or instant, not '$1'" ;;
  esac
  [ ! -e "$OPT/arping" ] || chmod 755 "$OPT/arping"
}

extract_arping() {
  local directory
  directory=$(mktemp -d)
  chmod 755 "$directory"
  (cd "$directory" && apt-get -q download iputils-arping && dpkg-deb -x iputils-arping_*.deb x && cp x/usr/bin/arping "$OPT/arping") \
    >>"$LOGS/arping.log" 2>&1 || say "no iputils arping: stock announcements will fail (see $LOGS/arping.log)"
  rm -rf "$directory"
}
