# Settings of the lab. Sourced by everything in lab/; the only place to change a port, a password or a path.
ASTARA_LAB=${ASTARA_LAB:-/var/lib/astara/lab}
LAB_CODE=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
REPO=$(dirname "$LAB_CODE")

CONF=$ASTARA_LAB/conf
STATE=$ASTARA_LAB/state # databases and the agents' own files
LOGS=$ASTARA_LAB/logs
RUN=$ASTARA_LAB/run # pid files and sockets
OPT=$ASTARA_LAB/opt # programs that the agents must find before the system's
TEMPORARY=$ASTARA_LAB/tmp

PASSWORD=labpass # every password in the lab
IP=127.0.0.1     # every listener is on loopback
LABHOST=lab1     # what this machine's agents call their host

MARIADB_PORT=3306
RABBITMQ_PORT=5672
EPMD_PORT=4369
KEYSTONE_PORT=5000
NEUTRON_PORT=9696
NOVA_METADATA_PORT=8775

# The daemons are Debian's own: they must find Debian's python, whatever else the caller has on his PATH.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C.UTF-8
unset PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED PYENV_ROOT http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

# fail MESSAGE: a check failed. cannot MESSAGE: could not even run.
fail() { printf 'lab: %s\n' "$*" >&2; exit 1; }
cannot() { printf 'lab: %s\n' "$*" >&2; exit 2; }
