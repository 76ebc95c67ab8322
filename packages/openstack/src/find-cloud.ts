import { homedir } from 'node:os';
import { type Cloud, compileCloud } from './cloud.ts';
import { readCloud } from './clouds-yaml.ts';
import { OpenStackError } from './errors.ts';

interface Revealable {
  reveal(): string;
}

/** The compiled `[keystone]` section; null is unset. */
export interface KeystoneSettings {
  readonly cloud: string | null;
  readonly auth_url: string | null;
  readonly username: string | null;
  readonly password: Revealable | null;
  readonly project_name: string | null;
  readonly user_domain_name: string;
  readonly project_domain_name: string;
  readonly application_credential_id: string | null;
  readonly application_credential_secret: Revealable | null;
  readonly region_name: string | null;
  readonly interface: string | null;
  readonly network_endpoint_override: string | null;
  readonly cafile: string | null;
  readonly insecure: boolean;
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly home?: string;
}

/**
 * Which OpenStack is meant, the first that is set of: `[keystone] cloud`, `[keystone] auth_url`, `OS_CLOUD`, `OS_AUTH_URL`.
 * With a cloud of clouds.yaml, what `[keystone]` says of region, interface, override and certificates goes before it.
 */
export function findCloud(settings: KeystoneSettings | undefined, surroundings: Surroundings = {}): Cloud {
  const { env = process.env, cwd = process.cwd(), home = homedir() } = surroundings;
  const beside = {
    ...(settings?.region_name ? { region_name: settings.region_name } : {}),
    ...(settings?.interface ? { interface: settings.interface } : {}),
    ...(settings?.network_endpoint_override ? { network_endpoint_override: settings.network_endpoint_override } : {}),
    ...(settings?.cafile ? { cacert: settings.cafile } : {}),
    ...(settings?.insecure ? { insecure: 'true' } : {}),
  };
  const fromFile = (cloud: string, setBy: string) => {
    const { parameters, where } = readCloud(cloud, setBy, { env, cwd, home });
    const merged = { ...parameters, ...(env.OS_REGION_NAME ? { region_name: env.OS_REGION_NAME } : {}), ...beside };
    const inAuth = (name: string) => !/^(region_name|interface|cacert|verify|auth_type)$|_override$/.test(name);
    return compileCloud(merged, where, (name) => `${inAuth(name) ? 'auth.' : ''}${name} of ${where}`);
  };

  if (settings?.cloud) return fromFile(settings.cloud, '[keystone] cloud');
  if (settings?.auth_url) {
    const parameters = {
      interface: 'internal',
      ...beside,
      auth_url: settings.auth_url,
      username: settings.username ?? undefined,
      password: settings.password?.reveal(),
      project_name: settings.project_name ?? undefined,
      user_domain_name: settings.user_domain_name,
      project_domain_name: settings.project_domain_name,
      application_credential_id: settings.application_credential_id ?? undefined,
      application_credential_secret: settings.application_credential_secret?.reveal(),
    };
    const own: Readonly<Record<string, string>> = { cacert: 'cafile' };
    return compileCloud(parameters, '[keystone]', (name) => `[keystone] ${own[name] ?? name}`);
  }
  if (env.OS_CLOUD) return fromFile(env.OS_CLOUD, 'OS_CLOUD');
  if (env.OS_AUTH_URL) {
    const own = Object.entries(env)
      .filter(([name]) => name.startsWith('OS_'))
      .map(([name, value]) => [name.slice(3).toLowerCase(), value] as const);
    const parameters = { ...Object.fromEntries(own), ...beside };
    return compileCloud(parameters, 'the environment', (name) => `OS_${name.toUpperCase()}`);
  }
  throw new OpenStackError('OPENSTACK_NO_CLOUD', {});
}
