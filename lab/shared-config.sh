# Sections that several configuration files share.

database() { echo "mysql+pymysql://$1:$PASSWORD@$IP:$MARIADB_PORT/$1?charset=utf8"; }
transport_url() { echo "rabbit://openstack:$PASSWORD@$IP:$RABBITMQ_PORT/"; }

service_credentials() {
  cat <<E2
auth_url = http://$IP:$KEYSTONE_PORT
www_authenticate_uri = http://$IP:$KEYSTONE_PORT
auth_type = password
project_name = service
project_domain_name = Default
user_domain_name = Default
username = $1
password = $PASSWORD
region_name = RegionOne
E2
}

sql() { mariadb --no-defaults -S "$RUN/mysqld.sock" -u root "$@"; }

create_database() {
  sql -e "CREATE DATABASE IF NOT EXISTS $1;
    GRANT ALL ON $1.* TO '$1'@'localhost' IDENTIFIED BY '$PASSWORD';
    GRANT ALL ON $1.* TO '$1'@'127.0.0.1' IDENTIFIED BY '$PASSWORD';"
}

as() { # as USER COMMAND...
  local user=$1
  shift
  setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups env HOME=/tmp "$@"
}
