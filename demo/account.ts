import { compileCloud } from '@astara/openstack/cloud.ts';
import { Neutron } from '@astara/openstack/neutron.ts';
import { RestClient } from '@astara/openstack/rest-client.ts';
import { Session } from '@astara/openstack/session.ts';

/** A project of the demo's cloud, with somebody logged in to it. */
export interface Account {
  readonly name: string;
  readonly neutron: Neutron;
  readonly nova: RestClient;
  readonly glance: RestClient;
  close(): Promise<void>;
}

export interface Credentials {
  /** Keystone's URL, with `/v3`. */
  readonly authUrl: string;
  readonly user: string;
  readonly project: string;
  readonly password: string;
}

export function login({ authUrl, user, project, password }: Credentials): Account {
  const parameters = { auth_url: authUrl, username: user, password, project_name: project, interface: 'public' };
  const session = new Session(compileCloud(parameters, 'the demo', (name) => name));
  return {
    name: project,
    neutron: new Neutron(session),
    nova: new RestClient(session, { type: 'compute', name: 'Nova', prefix: '' }),
    glance: new RestClient(session, { type: 'image', name: 'Glance', prefix: '/v2' }),
    close: () => session.close(),
  };
}
