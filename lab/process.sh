# Starting and ending the lab's processes. Each service is a session of its own; its pid file holds the session leader.

pid_of() { cat "$RUN/$1.pid" 2>/dev/null; }

# alive NAME: the session leader that we started runs (and is not another process that got its pid since).
alive() {
  local pid started
  read -r pid started < <(cat "$RUN/$1.pid" "$RUN/$1.started" 2>/dev/null | paste -sd' ')
  [ -n "$pid" ] && [ "$(start_time "$pid")" = "$started" ]
}

# start_time PID: clock ticks since boot, field 22 of /proc/PID/stat (the name before it may hold spaces). Zombies count as gone.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) }
  [ "${stat%% *}" != Z ] && awk '{print $20}' <<<"$stat"
}

# spawn NAME USER COMMAND...: detached, with a clean environment, output to the log.
spawn() {
  local name=$1 user=$2 home
  shift 2
  alive "$name" && return 0
  rm -f "$RUN/$name.pid" "$RUN/$name.started"
  mkdir -p -m 1777 "$TEMPORARY"
  home=$(getent passwd "$user" | cut -d: -f6)
  setsid --fork env -i PATH="$PATH" LC_ALL="$LC_ALL" HOME="$home" TMPDIR="$TEMPORARY" \
    bash -c 'umask 022; echo $$ > "$0"; exec "$@"' "$RUN/$name.pid" \
    setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@" >>"$LOGS/$name.log" 2>&1 </dev/null
  wait_for 5 "pid file of $name" test -s "$RUN/$name.pid"
  start_time "$(pid_of "$name")" >"$RUN/$name.started"
}

# members NAME: the pids a signal for the service goes to. `scope=leader` in a service file: the program alone.
members() {
  local pid
  pid=$(pid_of "$1")
  [ -n "$pid" ] || return 0
  if [ "${scope:-session}" = leader ]; then alive "$1" && echo "$pid"; else ps -o pid= -s "$pid"; fi
}

send() {
  local pids
  pids=$(members "$2")
  [ -z "$pids" ] || kill "-$1" $pids 2>/dev/null || true
}

# end NAME [SECONDS]: TERM to the leader, then KILL to whatever is left.
end() {
  local name=$1 patience=${2:-5}
  [ -e "$RUN/$name.pid" ] || return 0
  send CONT "$name"
  alive "$name" && kill -TERM "$(pid_of "$name")" 2>/dev/null
  local tries=$((patience * 10))
  while alive "$name" && [ $((tries--)) -gt 0 ]; do sleep .1; done
  send KILL "$name"
  # until they are gone their ports are taken
  tries=50
  while [ -n "$(members "$name")" ] && [ $((tries--)) -gt 0 ]; do sleep .1; done
  rm -f "$RUN/$name.pid" "$RUN/$name.started"
}

# end_matching REGEX...: ends helpers that a daemon of ours left to init, known by a path of the lab in their arguments.
end_matching() {
  local pid command
  for pid in $(pgrep -f -- "$ASTARA_LAB/"); do
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || continue
    grep -qE "^([^ ]*python3 )?([^ ]*/)?(sudo )?([^ ]*/)?($1)( |$)" <<<"$command" && kill -KILL "$pid" 2>/dev/null
  done
  return 0
}
