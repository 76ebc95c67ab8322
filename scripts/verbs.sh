# The verbs of ./run.
LAB="$REPO/lab/lab.sh"
export PATH="$REPO/node_modules/.bin:$PATH"

verb_lab() {
  local verb=${1:-help}
  [ "$verb" != up ] || set_up_lab "${2:-astara}"
  case $verb in
    status | help) "$LAB" "$@" ;;
    *) as_root 'the lab' "$LAB" "$@" ;;
  esac
}

set_up_lab() {
  need_packages "the lab's profile $1" $(packages_of_profile "$1")
  need_npm
}

verb_demo() {
  if [[ " $* " == *' --simulated '* || " $* " == *' --help '* ]]; then
    need_npm
    exec "$NODE" demo/main.ts "$@"
  fi
  is_root || command -v sudo >/dev/null ||
    cannot 'the demo makes network namespaces: it needs root, and there is no sudo here. Without real packets: ./run demo --simulated'
  need_packages 'the demo' $PACKAGES_DEMO
  need_npm
  as_root 'the demo (it makes network namespaces)' "$NODE" demo/main.ts "$@"
}

verb_bench() {
  local name=${1:-}
  [ -n "$name" ] && [ -e "bench/$name.ts" ] || cannot "bench: which one? There are: $(cd bench && ls ./*.ts 2>/dev/null | sed 's|^\./||; s|\.ts$||' | paste -sd' ')"
  shift
  case $name in
    appliance | ha) need_packages 'this bench' $PACKAGES_UNIT iptables ;;
    *) need_packages 'benches' $(packages_of_profile stock) $(packages_of_profile astara) $PACKAGES_E2E ;;
  esac
  need_npm
  as_root 'measuring' env PATH="$PATH" "$NODE" "bench/$name.ts" "$@"
}

verb_e2e() {
  set_up_e2e
  run_e2e /dev/null "$@"
}

set_up_e2e() {
  set_up_lab astara
  need_packages 'end-to-end tests' $PACKAGES_E2E
}

# run_e2e REPORT [FILTER...]: on the lab with profile astara; afterwards the lab is as it was before.
run_e2e() (
  report=$1
  shift
  before=$(cat "${ASTARA_LAB:-/var/lib/astara/lab}/profile" 2>/dev/null)
  if ! "$LAB" status astara >/dev/null; then
    trap 'put_lab_back "$before"' EXIT
    trap 'exit 130' INT TERM
    verb_lab up astara || exit
  fi
  vitest_run --config e2e/vitest.config.ts --outputFile.json="$report" "$@"
)

put_lab_back() { if [ -n "$1" ]; then verb_lab up "$1"; else verb_lab down; fi; }

# As root: the tests make network namespaces.
vitest_run() {
  as_root 'running the tests (they make network namespaces)' env PATH="$PATH" \
    "$NODE" node_modules/vitest/vitest.mjs run --reporter=default --reporter=json "$@"
}

verb_test() {
  need_packages 'unit tests' $PACKAGES_UNIT
  set_up_e2e
  local reports failed=()
  reports=$(mktemp -d)
  check types tsc --noEmit
  check lint biome ci .
  check 'unit tests' vitest_run --outputFile.json="$reports/unit.json"
  check 'end-to-end tests' run_e2e "$reports/e2e.json"
  [ ${#failed[@]} = 0 ] || say "failed: $(printf '%s; ' "${failed[@]}")"
  "$NODE" scripts/totals.ts "$reports/unit.json" "$reports/e2e.json"
  rm -rf "$reports"
  [ ${#failed[@]} = 0 ]
}

# check NAME COMMAND...: notes a failure in `failed` and goes on.
check() {
  local name=$1
  shift
  say "$name"
  "$@" || failed+=("$name")
}
