#!/usr/bin/env bash
# A real OpenStack on one machine, loopback only. See `lab.sh help`.
set -u -o pipefail
. "$(dirname "$(readlink -f "$0")")/env.sh"
for part in wait process shared-config credentials profiles service; do . "$LAB_CODE/$part.sh"; done

help() {
  cat <<E2
usage: run lab VERB
  up [PROFILE]        control (RabbitMQ, MariaDB, Keystone, neutron-server), stock (with neutron's agents) or astara (default);
                      from any other profile: what that one does not have is stopped and cleaned away
  down [--keep]       stops everything and removes what it left; --keep leaves the databases for the next up
  status [PROFILE]    what runs; with a profile: exit 0 when it is up whole, else 1
  service start|launch|stop|restart|kill|pause|resume NAME  (launch: does not wait until it answers)
                      one of: ${ALL_SERVICES// /, }
  garp real|instant   neutron-l3-agent's gratuitous ARP: as shipped, or costing nothing (benches)
E2
}

make_directories() {
  mkdir -p "$CONF" "$STATE" "$LOGS" "$RUN" "$OPT"
  chmod 755 "$(dirname "$ASTARA_LAB")" "$ASTARA_LAB" "$CONF" "$OPT"
  chmod 1777 "$STATE" "$LOGS" "$RUN" # daemons of several users write here
  write_credentials
}

# Only what make_directories made: ASTARA_LAB may point anywhere.
remove_directories() {
  rm -rf "$CONF" "$STATE" "$LOGS" "$RUN" "$OPT" "$TEMPORARY" "$ASTARA_LAB/admin-openrc" "$ASTARA_LAB/clouds.yaml"
  rmdir "$ASTARA_LAB" "$(dirname "$ASTARA_LAB")" 2>/dev/null || true
}

up() {
  local profile=${1:-astara} plan name stage agents began
  began=$(date +%s%N)
  plan=$(stages "$profile") || exit
  make_directories
  for name in $(backwards); do
    in_profile "$name" "$profile" || [ ! -e "$STATE/$name.prepared" ] || forget "$name"
  done
  while read -r stage; do
    start_together $stage || give_up $? "$profile"
  done <<<"$plan"
  mapfile -t agents < <(agent_types "$profile")
  /usr/bin/python3 "$LAB_CODE/prune-agents.py" "$ASTARA_LAB/clouds.yaml" "$LABHOST" "${agents[@]}" ||
    fail 'Neutron would not forget the agents of another profile'
  echo "$profile" >"$ASTARA_LAB/profile"
  say "profile $profile is up ($(seconds_since "$began") s); credentials: $ASTARA_LAB/admin-openrc, $ASTARA_LAB/clouds.yaml"
}

# forget NAME: stopped, cleaned, and to be prepared anew the next time.
forget() {
  in_service "$1" running && say "stopping $1"
  remove_service "$1"
  rm -f "$STATE/$1".{prepared,populated}
}

give_up() { # give_up CODE PROFILE
  printf 'lab: profile %s did not come up; logs are in %s\n' "$2" "$LOGS" >&2
  [ "$1" = 2 ] && exit 2
  exit 1
}

start_together() {
  local name job code jobs=() worst=0
  for name; do
    start_service "$name" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do
    wait "$job"
    code=$?
    [ $code -le $worst ] || worst=$code
  done
  return $worst
}

backwards() { tr ' ' '\n' <<<"$ALL_SERVICES" | tac; }

down() {
  local name began
  began=$(date +%s%N)
  [ -d "$ASTARA_LAB" ] || { say 'the lab is down already'; return 0; }
  for name in $(backwards); do
    if [ "${1:-}" = --keep ] && in_profile "$name" control; then remove_service "$name"; else forget "$name"; fi
  done
  end_matching 'privsep-helper|neutron-rootwrap-daemon'
  rm -f "$ASTARA_LAB/profile"
  [ "${1:-}" = --keep ] || remove_directories
  say "the lab is down ($(seconds_since "$began") s)"
}

status() {
  local name missing=0
  if [ -n "${1:-}" ]; then stages "$1" >/dev/null || exit; fi
  echo "profile $(cat "$ASTARA_LAB/profile" 2>/dev/null || echo none)"
  for name in $ALL_SERVICES; do
    if in_service "$name" running; then printf '  %-20s up    %s\n' "$name" "$(pid_of "$name")"; else printf '  %-20s down\n' "$name"; fi
  done
  [ -z "${1:-}" ] && return 0
  for name in $(stages "$1"); do in_service "$name" running || missing=1; done
  return $missing
}

service() {
  local verb=${1:-} name=${2:-}
  is_service "$name"
  [ -d "$RUN" ] || cannot "the lab is not up: './run lab up'"
  case $verb in
    launch) LAUNCH_ONLY=1 start_service "$name" || fail "$name did not start" ;;
    start) start_service "$name" || fail "$name did not start" ;;
    stop) stop_service "$name" ;;
    restart) stop_service "$name"; start_service "$name" || fail "$name did not start" ;;
    kill) in_service "$name" send KILL "$name" ;;
    pause) in_service "$name" send STOP "$name" ;;
    resume) in_service "$name" send CONT "$name" ;;
    *) cannot "no verb '$verb' for a service" ;;
  esac
}

garp() {
  [ -d "$OPT" ] || cannot "the lab is not up: './run lab up stock'"
  . "$LAB_CODE/overrides.sh"
  choose_arping "${1:-}"
}

verb=${1:-help}
shift || true
case $verb in
  up | down | service | garp)
    [ "$(id -u)" = 0 ] || cannot 'the lab needs root'
    # One at a time. flock -o: the daemons that we start must not inherit the lock.
    mkdir -p /run/lock # a chroot or a container may lack it
    [ -n "${LAB_LOCKED:-}" ] || LAB_LOCKED=1 exec flock -o /run/lock/astara-lab "$0" "$verb" "$@"
    unset LAB_LOCKED
    "$verb" "$@"
    ;;
  status | help) "$verb" "$@" ;;
  *) help >&2; cannot "no verb '$verb'" ;;
esac
