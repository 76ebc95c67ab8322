# The node that the repository brings along.
node_24() {
  local node=$REPO/node_modules/.bin/node
  [ -x "$node" ] || cannot "$node is missing: './run lab up' installs it"
  echo "$node"
}
