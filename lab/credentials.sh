# What clients of the lab need: admin-openrc for the shell, clouds.yaml for programs.
write_credentials() {
  cat >"$ASTARA_LAB/admin-openrc" <<E2
export OS_AUTH_URL=http://$IP:$KEYSTONE_PORT/v3 OS_IDENTITY_API_VERSION=3 OS_REGION_NAME=RegionOne
export OS_USERNAME=admin OS_PASSWORD=$PASSWORD OS_PROJECT_NAME=admin OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default
export no_proxy='*' NO_PROXY='*'
E2
  cat >"$ASTARA_LAB/clouds.yaml" <<E2
clouds:
$(cloud lab admin admin)
$(cloud demo demo demo)
$(cloud demo2 demo2 demo2)
$(cloud astara astara service)
E2
}

cloud() { # cloud NAME USER PROJECT
  cat <<E2
  $1:
    auth:
      auth_url: http://$IP:$KEYSTONE_PORT/v3
      username: $2
      password: $PASSWORD
      project_name: $3
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    identity_api_version: 3
E2
}
