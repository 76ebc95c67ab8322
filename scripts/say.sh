# What all verbs share: talking, and becoming root.
say() { printf '==> %s\n' "$*"; }
cannot() { printf 'run: %s\n' "$*" >&2; exit 2; }

is_root() { [ "$(id -u)" = 0 ]; }

# as_root WHY COMMAND...
as_root() {
  local why=$1
  shift
  if is_root; then "$@"; return; fi
  command -v sudo >/dev/null || cannot "$why needs root, and there is no sudo here. As root, run: $*"
  sudo -v || cannot "$why needs root, and sudo refuses. As root, run: $*"
  sudo --preserve-env=ASTARA_LAB,ASTARA_RECORD,CI "$@"
}
