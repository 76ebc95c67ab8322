import type { Config2016 } from '@astara/model/appliance/api/v1.ts';
import type { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { Validated } from '@astara/model/validate.ts';
import { translateAnchors } from './anchors.ts';
import type { VirtualNames } from './names.ts';
import { gateways, translateNetwork } from './networks.ts';
import { Notes } from './notes.ts';
import { translateBgp, translateHa } from './routing.ts';
import { translateVpn } from './vpn.ts';

export interface Surroundings {
  readonly names: VirtualNames;
  /** Of what is in force: version 1 knows no generations, and a push of it is never too old. */
  readonly generation: number;
}

/** Where the appliance of 2016 looked for its orchestrator, when nobody told it. */
const ORCHESTRATOR = { address: 'fdca:3ba5:a17a:acda::1', port: 9697 };

/**
 * A configuration of 2016 in today's words, checked as such; what is wrong is named by the fields that were sent. Pure. What the
 * appliance of 2016 did by itself is said: it advertised every IPv6 subnet of a tenant's network, took the first gateway of the
 * external network where none was given, and spoke BGP with the IPv6 gateways outside.
 */
export function translate(body: Config2016, { names, generation }: Surroundings): Validated<ApplianceConfig> {
  const notes = new Notes();
  const config = { ...translateAll(body, names, notes), generation };
  if (notes.errors.length > 0) return { ok: false, errors: notes.errors };
  const validated = validateConfig(config);
  return validated.ok ? validated : { ok: false, errors: notes.asSent(validated.errors) };
}

function translateAll(body: Config2016, names: VirtualNames, notes: Notes): ApplianceConfig {
  const real = (virtual: string, field: string): string => {
    const found = names.get(virtual);
    if (found === undefined) notes.fail(field, `${virtual} does not exist: there are ${[...names.keys()].join(', ')}`);
    return found ?? '';
  };
  const sent = body.networks ?? [];
  const networks = sent.map((network, index) => translateNetwork(network, index, real, notes));
  const subnets = sent.flatMap((network) => network.subnets ?? []);
  const [v4] = gateways(sent, 4);
  const [v6] = gateways(sent, 6);
  if (!body.default_v4_gateway && v4 !== undefined) notes.made('/default_v4_gateway', v4.field);
  if (v6 !== undefined) notes.made('/default_v6_gateway', v6.field);
  notes.made('/metadata', '/orchestrator');
  body.static_routes?.forEach((_route, index) => {
    const route = `/static_routes/${index}`;
    notes.made(`${route}/destination`, `${route}/0`).made(`${route}/nexthop`, `${route}/1`);
  });
  return {
    hostname: body.hostname,
    tenant_id: body.tenant_id,
    networks,
    default_v4_gateway: body.default_v4_gateway || v4?.address || null,
    default_v6_gateway: v6?.address ?? null,
    floating_ips: body.floating_ips ?? [],
    metadata: { endpoint: endpoint(body.orchestrator ?? {}) },
    ...some(
      'static_routes',
      body.static_routes?.map(([destination, nexthop]) => ({ destination, nexthop })),
    ),
    ...some('labels', body.labels),
    ...some('address_book', body.address_book),
    ...some('anchors', body.anchors && translateAnchors(body.anchors, real)),
    ...some('bgp', translateBgp(body, sent, notes)),
    ...some('ha', translateHa(body, networks, notes)),
    ...some('vpn', translateVpn(body.vpn?.ipsec ?? [], subnets, notes)),
  };
}

function some<const K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
}

function endpoint({ address, metadata_port: port }: NonNullable<Config2016['orchestrator']>): string {
  const host = address ?? ORCHESTRATOR.address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port ?? ORCHESTRATOR.port}`;
}
