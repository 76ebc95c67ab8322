import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCloud, type KeystoneSettings } from './find-cloud.ts';

const unset: KeystoneSettings = {
  cloud: null,
  auth_url: null,
  username: null,
  password: null,
  project_name: null,
  user_domain_name: 'Default',
  project_domain_name: 'Default',
  application_credential_id: null,
  application_credential_secret: null,
  region_name: null,
  interface: null,
  network_endpoint_override: null,
  cafile: null,
  insecure: false,
};
const CLOUDS = `
shared: &shared
  auth_url: https://keystone.example:5000/v3/
  project_name: service
  user_domain_name: Default
clouds:
  one:
    auth:
      <<: *shared
      username: neutron
      password: 0123
    region_name: RegionOne
    network_endpoint_override: http://neutron.example:9696/
    verify: false
  two:
    auth: { auth_url: 'http://two', username: u, project_name: p }
    regions: [{ name: East, values: {} }, West]
    interface: internal
    cacert: /etc/ca.pem
`;

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'at-openstack-'));
  for (const dir of ['cwd', 'home/.config/openstack', 'xdg/openstack']) mkdirSync(join(root, dir), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  writeFileSync(join(root, path), text);
  return join(root, path);
}
function find(settings: Partial<KeystoneSettings> | undefined, env: NodeJS.ProcessEnv = {}) {
  const place = { env, cwd: join(root, 'cwd'), home: join(root, 'home') };
  return findCloud(settings === undefined ? undefined : { ...unset, ...settings }, place);
}
const secret = (text: string) => ({ reveal: () => text });

describe('which cloud', () => {
  test('the section', () => {
    const cloud = find(
      {
        auth_url: 'http://k:5000/v3',
        username: 'n',
        password: secret('p'),
        project_name: 'service',
        cafile: '/ca.pem',
      },
      { OS_CLOUD: 'not asked' },
    );
    expect(cloud).toMatchObject({
      source: '[keystone]',
      authUrl: 'http://k:5000',
      interface: 'internal',
      region: null,
      cafile: '/ca.pem',
      insecure: false,
      identity: { method: 'password', user: { name: 'n', domain: { name: 'Default' } }, password: 'p' },
      scope: { project: { name: 'service', domain: { name: 'Default' } } },
    });
    expect(cloud.nameOf('password')).toBe('[keystone] password');
    expect(cloud.nameOf('cacert')).toBe('[keystone] cafile');
  });

  test('a cloud of clouds.yaml, with what the section says beside it', () => {
    write('home/.config/openstack/clouds.yaml', CLOUDS);
    const one = find({ cloud: 'one' });
    expect(one).toMatchObject({
      authUrl: 'https://keystone.example:5000',
      interface: 'public',
      region: 'RegionOne',
      insecure: true,
      endpointOverrides: { network: 'http://neutron.example:9696' },
      identity: { password: '0123' },
    });
    expect(one.nameOf('password')).toBe(`auth.password of cloud one of ${root}/home/.config/openstack/clouds.yaml`);
    expect(find({ cloud: 'one', region_name: 'Other', interface: 'admin' })).toMatchObject({
      region: 'Other',
      interface: 'admin',
    });
  });

  test('secure.yaml goes over it, and regions have a first one', () => {
    write('cwd/clouds.yml', CLOUDS);
    write('home/.config/openstack/secure.yaml', 'clouds: { two: { auth: { password: hidden } } }');
    expect(find(undefined, { OS_CLOUD: 'two' })).toMatchObject({
      region: 'East',
      interface: 'internal',
      cafile: '/etc/ca.pem',
      identity: { user: { name: 'u', domain: { id: 'default' } }, password: 'hidden' },
    });
    expect(find(undefined, { OS_CLOUD: 'two', OS_REGION_NAME: 'West' }).region).toBe('West');
  });

  test('the first file that is there', () => {
    const cloud = (url: string) => `clouds: { c: { auth: { auth_url: '${url}', token: t, project_id: p } } }`;
    write('home/.config/openstack/clouds.yaml', cloud('http://home'));
    expect(find({ cloud: 'c' }).authUrl).toBe('http://home');
    write('xdg/openstack/clouds.yaml', cloud('http://xdg'));
    expect(find({ cloud: 'c' }, { XDG_CONFIG_HOME: join(root, 'xdg') }).authUrl).toBe('http://xdg');
    write(
      'cwd/clouds.json',
      JSON.stringify({ clouds: { c: { auth: { auth_url: 'http://cwd', token: 't', project_id: 'p' } } } }),
    );
    expect(find({ cloud: 'c' }).authUrl).toBe('http://cwd');
    const OS_CLIENT_CONFIG_FILE = write('x.yaml', cloud('http://env'));
    expect(find({ cloud: 'c' }, { OS_CLIENT_CONFIG_FILE })).toMatchObject({
      authUrl: 'http://env',
      identity: { method: 'token', token: 't' },
      scope: { project: { id: 'p' } },
    });
  });

  test('the environment', () => {
    const env = {
      OS_AUTH_URL: 'http://k/identity/v3',
      OS_USERNAME: 'admin',
      OS_PASSWORD: 'p',
      OS_PROJECT_NAME: 'admin',
      OS_USER_DOMAIN_NAME: 'Users',
      OS_PROJECT_DOMAIN_ID: 'projects',
      OS_REGION_NAME: 'R',
      OS_CACERT: '/ca',
    };
    const cloud = find(unset, env);
    expect(cloud).toMatchObject({
      authUrl: 'http://k/identity',
      region: 'R',
      cafile: '/ca',
      interface: 'public',
      identity: { user: { domain: { name: 'Users' } } },
      scope: { project: { domain: { id: 'projects' } } },
    });
    expect(cloud.nameOf('password')).toBe('OS_PASSWORD');
    const credential = { OS_APPLICATION_CREDENTIAL_ID: 'i', OS_APPLICATION_CREDENTIAL_SECRET: 's' };
    expect(find(undefined, { OS_AUTH_URL: 'http://k', ...credential })).toMatchObject({
      identity: { method: 'application_credential', id: 'i', secret: 's' },
      scope: 'own',
    });
  });

  test.each([
    [{}, {}, 'OPENSTACK_NO_CLOUD', 'nothing says which OpenStack to use'],
    [{ cloud: 'three' }, {}, 'OPENSTACK_CLOUD_UNKNOWN', 'there is no cloud three in ROOT/cwd/clouds.yaml'],
    [{ cloud: '__proto__' }, {}, 'OPENSTACK_CLOUD_UNKNOWN', 'there is no cloud __proto__ in ROOT/cwd/clouds.yaml'],
    [
      { auth_url: 'http://k', username: 'u' },
      {},
      'OPENSTACK_AUTH_INCOMPLETE',
      '[keystone] password is not set in [keystone]',
    ],
    [
      {},
      { OS_AUTH_URL: 'http://k', OS_USERNAME: 'u', OS_PASSWORD: 'p' },
      'OPENSTACK_AUTH_INCOMPLETE',
      'OS_PROJECT_NAME is not set in the environment',
    ],
    [
      {},
      { OS_CLOUD: 'two' },
      'OPENSTACK_AUTH_INCOMPLETE',
      'auth.password of cloud two of ROOT/cwd/clouds.yaml is not set in cloud two of ROOT/cwd/clouds.yaml',
    ],
    [
      {},
      { OS_AUTH_URL: 'http://u:s3cret@k', OS_TOKEN: 't' },
      'OPENSTACK_AUTH_INVALID',
      'OS_AUTH_URL is no URL, or holds a password',
    ],
    [
      {},
      { OS_AUTH_URL: 'http://k', OS_AUTH_TYPE: 'v3kerberos' },
      'OPENSTACK_AUTH_INVALID',
      'OS_AUTH_TYPE is "v3kerberos"',
    ],
  ])('%j with %j', (settings, env, code, message) => {
    write('cwd/clouds.yaml', CLOUDS);
    const thrown = expect.objectContaining({ code, message: message.replaceAll('ROOT', root) });
    expect(() => find(settings, env)).toThrow(thrown);
  });

  test('a file that is no YAML: the line, and nothing of what it holds', () => {
    const file = write('cwd/clouds.yaml', 'clouds:\n  a: {password: s3cret\n b: [');
    expect(() => find({ cloud: 'a' })).toThrow(
      expect.objectContaining({
        code: 'OPENSTACK_CLOUDS_FILE',
        message: expect.stringMatching(new RegExp(`^cannot read ${file}: line \\d is no YAML \\([A-Z_]+\\)$`)),
      }),
    );
    write('cwd/clouds.yaml', '- a list');
    expect(() => find({ cloud: 'a' })).toThrow('it holds no map');
  });
});
