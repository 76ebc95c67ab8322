import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { Parameters } from './cloud.ts';
import { OpenStackError } from './errors.ts';
import { errorCode, reasonOf } from './transport.ts';

export interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
}

export interface NamedCloud {
  readonly parameters: Parameters;
  /** `cloud lab of /etc/openstack/clouds.yaml` */
  readonly where: string;
}

type Yaml = string | readonly Yaml[] | YamlMap;
interface YamlMap {
  readonly [key: string]: Yaml;
}

/**
 * A cloud of clouds.yaml, found and merged as openstacksdk does: the first of OS_CLIENT_CONFIG_FILE, the working
 * directory, ~/.config/openstack, /etc/xdg/openstack and /etc/openstack that has a clouds.yaml (.yml, .json), and over it
 * the first secure.yaml. Vendor profiles are not known. `setBy` names what asked for this cloud, for messages.
 */
export function readCloud(name: string, setBy: string, place: Place): NamedCloud {
  const clouds = firstOf('clouds', 'OS_CLIENT_CONFIG_FILE', place);
  const secure = firstOf('secure', 'OS_CLIENT_SECURE_FILE', place);
  const known = mapAt(clouds?.content, 'clouds');
  const cloud = merge(mapAt(known, name), mapAt(mapAt(secure?.content, 'clouds'), name));
  if (cloud === undefined) {
    const where = clouds?.file ?? `a clouds.yaml (looked for in ${directories(place).join(', ')})`;
    const names = Object.keys(known ?? {});
    const hint =
      names.length === 0
        ? 'Add the cloud to a clouds.yaml.'
        : `Set ${setBy} to one of those there: ${names.join(', ')}.`;
    throw new OpenStackError('OPENSTACK_CLOUD_UNKNOWN', { cloud: name, where, hint });
  }
  const { auth, regions, ...beside } = cloud;
  const [firstRegion] = Array.isArray(regions) ? regions : [];
  const region = typeof firstRegion === 'string' ? firstRegion : mapAt({ r: firstRegion ?? '' }, 'r')?.name;
  const texts = Object.entries({ ...(region === undefined ? {} : { region_name: region }), ...beside, ...asMap(auth) });
  return {
    parameters: Object.fromEntries(
      texts.flatMap(([key, value]) => (typeof value === 'string' ? [[key.replaceAll('-', '_'), value]] : [])),
    ),
    where: `cloud ${name} of ${clouds?.file ?? secure?.file}`,
  };
}

function directories({ env, cwd, home }: Place): string[] {
  const own = join(env.XDG_CONFIG_HOME || join(home, '.config'), 'openstack');
  return [...new Set([cwd, own, join(home, '.config/openstack'), '/etc/xdg/openstack', '/etc/openstack'])];
}

function firstOf(stem: string, variable: string, place: Place): { file: string; content: YamlMap } | undefined {
  const explicit = place.env[variable];
  const files = directories(place).flatMap((dir) =>
    ['.yaml', '.yml', '.json'].map((suffix) => join(dir, `${stem}${suffix}`)),
  );
  for (const file of explicit ? [explicit, ...files] : files) {
    const content = readYaml(file);
    if (content !== undefined) return { file, content };
  }
  return undefined;
}

/** All scalars stay text: a password 0123 is no number. */
function readYaml(file: string): YamlMap | undefined {
  const unreadable = (reason: string, cause?: unknown) =>
    new OpenStackError('OPENSTACK_CLOUDS_FILE', { file, reason }, { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (/^(ENOENT|ENOTDIR)$/.test(errorCode(cause))) return undefined;
    throw unreadable(reasonOf(cause), cause);
  }
  const document = parseDocument(text, { schema: 'failsafe', merge: true, prettyErrors: true });
  const [error] = document.errors;
  // The parser's message shows the line, which may hold a password.
  if (error !== undefined) throw unreadable(`line ${error.linePos?.[0].line ?? '?'} is no YAML (${error.code})`);
  let content: YamlMap | undefined;
  try {
    content = asMap(document.toJS({ maxAliasCount: 100 }) as Yaml);
  } catch (cause) {
    throw unreadable('its aliases do not resolve', cause);
  }
  if (content === undefined && text.trim() !== '') throw unreadable('it holds no map');
  return content ?? {};
}

function merge(base: YamlMap | undefined, over: YamlMap | undefined): YamlMap | undefined {
  if (base === undefined || over === undefined) return base ?? over;
  const auth = { ...asMap(base.auth), ...asMap(over.auth) };
  return { ...base, ...over, auth };
}

function mapAt(map: YamlMap | undefined, key: string): YamlMap | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? asMap(map[key]) : undefined;
}

function asMap(value: Yaml | undefined): YamlMap | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as YamlMap) : undefined;
}
