# One service: what its file in services/ may define, and the steps made of it.
#   port       a port of loopback that must be free before it starts
#   scope      leader: signals go to the program alone, not to its session
#   configure  writes configuration        prepare   once, before the first start (database, directories)
#   run        spawns it                   ready     waits until it answers
#   populate   once, after it is ready     clean     removes what it leaves outside $ASTARA_LAB when it is not to come back
#   running    is it there (default: its process is alive)

# in_service NAME COMMAND...: runs COMMAND in a subshell that knows the service.
in_service() (
  service=$1
  shift
  port='' scope=session
  configure() { :; }
  prepare() { :; }
  ready() { :; }
  populate() { :; }
  clean() { :; }
  running() { alive "$service"; }
  . "$LAB_CODE/services/$service.sh"
  "$@"
)

is_service() { [ -e "$LAB_CODE/services/$1.sh" ] || cannot "no service '$1': ${ALL_SERVICES// /, }"; }

start_service() {
  local began
  began=$(date +%s%N)
  in_service "$1" bring_up || return
  say "$1 is up ($(seconds_since "$began") s)"
}

bring_up() {
  configure || return
  once prepare || return
  if ! running; then
    # a moment's patience: one that was just killed may still hold it
    [ -z "$port" ] || wait_for 5 "port $port to be free" is_free "$port" || cannot "port $port on $IP is taken by another program; $service needs it"
    run || return
  fi
  [ "${LAUNCH_ONLY:-}" ] && return 0
  ready || { tail -n 15 "$LOGS/$service.log" >&2; return 1; }
  once populate
}

is_free() { ! answers "$1"; }

once() { # once STEP: its output goes to a log, shown when it fails
  local mark=$STATE/$service.${1}d log=$LOGS/$service-$1.log
  [ -e "$mark" ] && return 0
  "$1" >>"$log" 2>&1 || { printf 'lab: %s of %s failed:\n' "$1" "$service" >&2; tail -n 15 "$log" >&2; return 1; }
  touch "$mark"
}

stop_service() {
  in_service "$1" running || return 0
  in_service "$1" end "$1" "${2:-5}"
}

remove_service() {
  stop_service "$1" 2
  in_service "$1" clean
}

seconds_since() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }
