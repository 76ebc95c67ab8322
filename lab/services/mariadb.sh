port=$MARIADB_PORT

configure() {
  cat >"$CONF/my.cnf" <<E2
[mysqld]
datadir=$STATE/mysql
socket=$RUN/mysqld.sock
pid-file=$RUN/mysqld.real.pid
bind-address=$IP
port=$MARIADB_PORT
user=mysql
skip-name-resolve
max_connections=300
innodb_buffer_pool_size=128M
innodb_flush_log_at_trx_commit=0
sync_binlog=0
performance_schema=OFF
character-set-server=utf8
collation-server=utf8_general_ci
E2
}

prepare() {
  install -d -o mysql -g mysql -m 755 "$STATE/mysql"
  mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/mysql" --auth-root-authentication-method=normal --skip-test-db
}

run() { spawn mariadb mysql /usr/sbin/mariadbd --defaults-file="$CONF/my.cnf"; }
ready() { wait_for 60 'MariaDB' sql -e 'select 1' >/dev/null; }
