# npm packages, among them Node 24 itself: the system's node, if there is one, only serves to fetch it.
NODE=$REPO/node_modules/.bin/node
BOOTSTRAP=$REPO/.astara/npm
NPM_VERSION=11.19.1
# npm must not run on the node that it is about to replace.
NPM_PATH=$BOOTSTRAP/node_modules/.bin:${PATH//"$REPO/node_modules/.bin:"/}

need_npm() {
  node_modules_match && return
  command -v npm >/dev/null || need_packages 'npm' $PACKAGES_NPM
  node_is_24 "$(PATH=$NPM_PATH command -v node)" || bootstrap_npm
  say 'installing npm packages into node_modules (install scripts off, except for node itself)'
  # Not `npm ci`: npm 11 refuses a lockfile that lacks optional packages of other platforms, which is what npm writes where
  # the registry does not carry them. --no-save leaves the lockfile alone, and what came is compared with it below.
  npm_here install --no-save --ignore-scripts && npm_here rebuild node --ignore-scripts=false ||
    cannot 'npm could not install the packages of package-lock.json'
  node_modules_match || cannot "$NODE does not run, or node_modules is not what package-lock.json says"
}

# npm keeps a record of what it installed: nothing is to be done when that is what the lockfile asks for.
node_modules_match() { node_is_24 "$NODE" && "$NODE" "$REPO/scripts/node-modules-match.ts" "$REPO" 2>/dev/null; }

node_is_24() { [ "$("$1" --version 2>/dev/null | sed -nE 's/^v([0-9]+)\..*/\1/p')" -ge 24 ] 2>/dev/null; }

# An npm that runs on an older node leaves out, silently, the native parts of packages that want a newer one (they are
# optional dependencies). So it first fetches the node of package.json, and an npm that is known to run on it.
bootstrap_npm() {
  local version
  version=$(sed -nE 's/^ *"node": "([0-9.]+)",?$/\1/p' "$REPO/package.json")
  say "the system's node is older than 24: fetching node $version and npm $NPM_VERSION from npm into ${BOOTSTRAP#"$REPO"/}"
  mkdir -p "$BOOTSTRAP"
  (cd "$BOOTSTRAP" && echo '{"private":true}' >package.json &&
    npm_here install --ignore-scripts --no-package-lock --no-audit --no-fund "node@$version" "npm@$NPM_VERSION" &&
    npm_here rebuild node --ignore-scripts=false) || cannot 'npm could not fetch node'
}

npm_here() { PATH=$NPM_PATH npm --loglevel=error "$@"; }
