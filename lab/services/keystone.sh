port=$KEYSTONE_PORT

configure() {
  cat >"$CONF/keystone.conf" <<E2
[DEFAULT]
log_file = $LOGS/keystone-app.log
transport_url = $(transport_url)
[database]
connection = $(database keystone)
max_pool_size = 5
[token]
provider = fernet
expiration = 86400
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
[catalog]
# Kept by each process for itself: one of them would not know the endpoints that another has just made.
caching = false
[fernet_tokens]
key_repository = $STATE/keystone/fernet
[credential]
key_repository = $STATE/keystone/credential
E2
  cat >"$CONF/keystone-uwsgi.ini" <<E2
[uwsgi]
plugins = python3
http-socket = $IP:$KEYSTONE_PORT
wsgi-file = /usr/bin/keystone-wsgi-public
master = true
processes = 2
threads = 1
lazy-apps = true
die-on-term = true
no-orphans = true
buffer-size = 65535
enable-threads = true
rem-header = Content-Length
add-header = Connection: close
disable-logging = true
E2
  [ -e "$LOGS/keystone-app.log" ] || install -m 644 -o keystone -g keystone /dev/null "$LOGS/keystone-app.log"
}

prepare() {
  create_database keystone
  install -d -o keystone -g keystone -m 700 "$STATE/keystone" "$STATE/keystone/fernet" "$STATE/keystone/credential"
  local url=http://$IP:$KEYSTONE_PORT/v3/
  keystone_manage db_sync &&
    keystone_manage fernet_setup --keystone-user keystone --keystone-group keystone &&
    keystone_manage credential_setup --keystone-user keystone --keystone-group keystone &&
    keystone_manage bootstrap --bootstrap-password "$PASSWORD" --bootstrap-region-id RegionOne \
      --bootstrap-admin-url "$url" --bootstrap-internal-url "$url" --bootstrap-public-url "$url"
}

keystone_manage() { (cd /tmp && as keystone keystone-manage --config-file "$CONF/keystone.conf" "$@"); }

run() {
  spawn keystone keystone env OS_KEYSTONE_CONFIG_FILES="$CONF/keystone.conf" OS_KEYSTONE_CONFIG_DIR="$CONF" \
    uwsgi --ini "$CONF/keystone-uwsgi.ini"
}

ready() { wait_for 60 'Keystone' answers "$KEYSTONE_PORT" /v3; }

# Once: users, projects and endpoints; one python process, because each command of the client costs over a second.
populate() { /usr/bin/python3 "$LAB_CODE/keystone-setup.py" "http://$IP:$KEYSTONE_PORT/v3" "$PASSWORD" "http://$IP:$NEUTRON_PORT"; }
