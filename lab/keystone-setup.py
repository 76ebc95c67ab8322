"""Projects, users, roles and endpoints of the lab. Creates what is missing. Arguments: auth URL, password, Neutron's URL."""
import sys

from keystoneauth1 import session
from keystoneauth1.identity import v3
from keystoneclient.v3 import client

auth_url, password, neutron_url = sys.argv[1:]
auth = v3.Password(auth_url=auth_url, username='admin', password=password, project_name='admin',
                   user_domain_name='Default', project_domain_name='Default')
keystone = client.Client(session=session.Session(auth=auth), region_name='RegionOne', endpoint_override=auth_url)


def ensure(manager, name, **fields):
    return next((item for item in manager.list() if item.name == name), None) or manager.create(name=name, **fields)


roles = {name: ensure(keystone.roles, name) for name in ('admin', 'member', 'reader', 'service')}
service = ensure(keystone.projects, 'service', domain='default')
for name in ('neutron', 'astara'):
    user = ensure(keystone.users, name, domain='default', password=password)
    for role in ('admin', 'service'):
        keystone.roles.grant(roles[role], user=user, project=service)
for name in ('demo', 'demo2'):  # two tenants
    project = ensure(keystone.projects, name, domain='default')
    user = ensure(keystone.users, name, domain='default', password=password)
    keystone.roles.grant(roles['member'], user=user, project=project)

network = ensure(keystone.services, 'neutron', type='network')
existing = {endpoint.interface for endpoint in keystone.endpoints.list(service=network)}
for interface in {'public', 'internal', 'admin'} - existing:
    keystone.endpoints.create(service=network, url=neutron_url, interface=interface, region='RegionOne')
