# sandbox.sh DIRECTORY PROGRAM...: on a machine whose name and files may be changed: /etc and /root are this machine's with a layer
# in memory above them. Run by `unshare --mount --uts`, so that all of it ends with the program.
set -e
directory=$1
shift
mkdir -p "$directory/layers"
mount -t tmpfs tmpfs "$directory/layers"
for path in etc root; do
  mkdir -p "$directory/layers/$path" "$directory/layers/$path.work"
  mount -t overlay overlay -o "lowerdir=/$path,upperdir=$directory/layers/$path,workdir=$directory/layers/$path.work" "/$path"
done
exec "$@"
