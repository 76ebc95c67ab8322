# npm packages, among them Node 24 itself: the system's node only serves to run npm.
NODE=$REPO/node_modules/.bin/node

need_npm() {
  node_modules_match && return
  command -v npm >/dev/null || need_packages 'npm' $PACKAGES_NPM
  say 'installing npm packages into node_modules (npm ci; install scripts off, except for node itself)'
  npm ci --ignore-scripts --loglevel=error && npm rebuild node --ignore-scripts=false --loglevel=error || cannot 'npm could not install the packages of package-lock.json'
  node_modules_match || cannot "$NODE does not run, or node_modules is not what package-lock.json says"
}

# npm leaves a record of what it installed: nothing is to be done when that is what the lockfile asks for.
node_modules_match() { [ -x "$NODE" ] && "$NODE" "$REPO/scripts/node-modules-match.ts" "$REPO" 2>/dev/null; }
