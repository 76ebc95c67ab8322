import { isRecord } from '../appliance-client/remote-error.ts';

/** undefined when it fits; otherwise the JSON pointer of what does not. */
type Check = (value: unknown, pointer: string) => string | undefined;

/**
 * Whether `value` is an `InstanceView`; a test holds it equal to the schema in `model/instance.ts`. Written out because
 * the schema compiler costs 24 MB, a quarter of what this process may use, and this is all that it would check here.
 */
export function offendingField(value: unknown): string | undefined {
  return instanceView(value, '');
}

const is =
  (test: (value: unknown) => boolean): Check =>
  (value, pointer) =>
    test(value) ? undefined : pointer || '/';

const text = (pattern = /^/): Check => is((value) => typeof value === 'string' && pattern.test(value));
const oneOf = (...values: readonly unknown[]): Check => is((value) => values.includes(value));
const integer = (least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY): Check =>
  is((value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most);
const flag = is((value) => typeof value === 'boolean');
const label = is((value) => typeof value === 'string' && [...value].length <= 255);
const uuid = text(/^[0-9a-fA-F-]{1,64}$/);

const array =
  (item: Check, most = Number.POSITIVE_INFINITY): Check =>
  (value, pointer) => {
    if (!Array.isArray(value) || value.length > most) return pointer || '/';
    return firstOf(value.map((one, index) => item(one, `${pointer}/${index}`)));
  };

/** Closed: no other fields than these. */
const object =
  (fields: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value, pointer) => {
    if (!isRecord(value)) return pointer || '/';
    const all = { ...fields, ...optional };
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(all, name));
    if (unknown !== undefined) return `${pointer}/${unknown}`;
    return firstOf(
      Object.entries(all).map(([name, check]) =>
        Object.hasOwn(optional, name) && value[name] === undefined
          ? undefined
          : check(value[name], `${pointer}/${name}`),
      ),
    );
  };

const nullOr =
  (check: Check): Check =>
  (value, pointer) =>
    value === null ? undefined : check(value, pointer);

function firstOf(fields: readonly (string | undefined)[]): string | undefined {
  return fields.find((field) => field !== undefined);
}

const attachment = object({
  port_id: uuid,
  network_id: uuid,
  mac_address: text(/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/),
  mtu: integer(68, 65535),
  ifname: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/),
  plug: oneOf('bridge', 'ovs'),
});

const instanceView = object({
  id: text(/^[0-9a-z][0-9a-z-]{0,63}$/),
  resource: object({ kind: oneOf('router', 'network'), id: uuid }),
  state: oneOf('running', 'dead'),
  created_at: text(),
  attachments: array(attachment),
  appliance_socket: text(),
  applied: nullOr(object({ generation: integer(), etag: text() })),
  services: array(object({ name: label, wanted: flag, running: flag }, { error: text() })),
});
