. "$LAB_CODE/node.sh"
. "$LAB_CODE/astara-config.sh"
. "$LAB_CODE/namespaces.sh"
# What it started belongs to the instances and outlives it: signals are for the program alone.
scope=leader

configure() { write_astara_conf; }
run() { astara_program astara-agent agent; }
ready() { wait_for 20 "the agent's socket" test -S "$ASTARA_RUN/agent.sock"; }

clean() {
  delete_namespaces '^astara-[0-9a-f]{8}-[0-9a-f]{4}-'
  rm -rf "$ASTARA_RUN"
}
