# Waiting for a condition, with a deadline and a name for what was waited for.

# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local what=$2 deadline
  deadline=$(($(date +%s%N) + $1 * 1000000000))
  shift 2
  until "$@" 2>/dev/null; do
    [ "$(date +%s%N)" -lt "$deadline" ] || { printf 'lab: gave up waiting for %s\n' "$what" >&2; return 1; }
    sleep .1
  done
}

# answers PORT [PATH]: something accepts a connection; with a path, it speaks HTTP and does not say 5xx.
answers() {
  (
    exec 3<>"/dev/tcp/$IP/$1" || exit 1
    [ -z "${2:-}" ] && exit 0
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$IP" >&3
    read -r -t 5 _ code _ <&3
    case $code in [1234]??) exit 0 ;; *) exit 1 ;; esac
  ) 2>/dev/null
}
