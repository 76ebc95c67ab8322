# delete_namespaces PATTERN: with whatever runs inside.
delete_namespaces() {
  local name pids
  for name in $(ip netns list | awk '{print $1}' | grep -E "$1"); do
    pids=$(ip netns pids "$name")
    [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
    ip netns delete "$name"
  done
}
