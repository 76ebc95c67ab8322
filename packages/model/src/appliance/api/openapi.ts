import type { TProperties, TSchema } from 'typebox';
import { canonicalJson } from '../../digest.ts';
import { ApplianceConfig } from '../config.ts';
import { AddressBook, Anchor, AnchorRule, FirewallGroup, FirewallRule, Labels } from '../firewall.ts';
import { Ha } from '../ha.ts';
import { Identity } from '../identity.ts';
import { Metadata } from '../metadata.ts';
import { FloatingIp, PortForwarding, RateLimit } from '../nat.ts';
import { Allocation, DhcpOption, HostRecord, Network, Route, Subnet } from '../network.ts';
import { Probe } from '../probes.ts';
import { Bfd, Bgp, BgpExport, BgpImport, BgpNeighbor, RouterAdvertisement } from '../routing.ts';
import { StaticRoute } from '../static-route.ts';
import { Dpd, IkePolicy, IpsecPolicy, Vpn, VpnCertificate, VpnConnection } from '../vpn.ts';
import { CheckResult, CommitAnswer, Pending, PlanAnswer, PlannedChange, Revision } from './commit.ts';
import { ErrorAnswer } from './error.ts';
import type { Operation } from './operation.ts';
import { v1 } from './operations-v1.ts';
import { v2 } from './operations-v2.ts';
import { FloatingIpCounters, InterfaceCounters, LabelCounters, Lease } from './stats.ts';
import { InterfaceStatus, ProbeResult, StatusAnswer } from './status.ts';
import {
  Allocation2016,
  Anchor2016,
  Config2016,
  IpsecConnection2016,
  Network2016,
  Rule2016,
  Subnet2016,
} from './v1.ts';
import { ConfigAnswer2016, InterfaceView2016 } from './v1-answers.ts';

export const operations: readonly Operation[] = [...Object.values(v1), ...Object.values(v2)];

/** Schemas that the document says once, by name. */
const components: Readonly<Record<string, TSchema>> = {
  ApplianceConfig,
  Network,
  Subnet,
  Allocation,
  DhcpOption,
  HostRecord,
  RouterAdvertisement,
  Route,
  StaticRoute,
  Metadata,
  FloatingIp,
  RateLimit,
  PortForwarding,
  Labels,
  AddressBook,
  Anchor,
  AnchorRule,
  FirewallGroup,
  FirewallRule,
  Bgp,
  BgpNeighbor,
  BgpExport,
  BgpImport,
  Bfd,
  Ha,
  Vpn,
  VpnConnection,
  IkePolicy,
  IpsecPolicy,
  VpnCertificate,
  Dpd,
  Identity,
  Probe,
  CommitAnswer,
  PlanAnswer,
  PlannedChange,
  Revision,
  Pending,
  CheckResult,
  StatusAnswer,
  InterfaceStatus,
  ProbeResult,
  InterfaceCounters,
  LabelCounters,
  FloatingIpCounters,
  Lease,
  Config2016,
  Network2016,
  Subnet2016,
  Allocation2016,
  Anchor2016,
  Rule2016,
  IpsecConnection2016,
  ConfigAnswer2016,
  InterfaceView2016,
  ErrorAnswer,
};

type Json = Readonly<Record<string, unknown>>;

/** By what they say: a schema that is optional somewhere is a copy there. */
const names = new Map(Object.entries(components).map(([name, schema]) => [canonicalJson(schema), name]));

/** The API as an OpenAPI 3.1 document, whose schemas are those that requests are checked against. Pure. */
export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of operations) {
    const methods = paths[operation.path] ?? {};
    paths[operation.path] = methods;
    methods[operation.method.toLowerCase()] = operationObject(operation);
  }
  const schemas = Object.entries(components).map(([name, schema]) => [name, inner(plain(schema))] as const);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Astara appliance',
      version,
      description: 'A router, driven through an API. `/v1/` is that of 2016; `/v2/` is for everything new.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas: Object.fromEntries(schemas) },
  };
}

function operationObject(operation: Operation): Json {
  const { id, tag, summary, description, body, answer } = operation;
  const content = 'schema' in answer ? json(answer.schema) : { [answer.media]: { schema: { type: 'string' } } };
  const refusals = [...new Set([400, 404, 500, ...(operation.refusals ?? [])])].sort();
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...parameters('path', operation.params ?? {}, []),
      ...parameters('query', operation.query ?? {}, Object.keys(operation.query ?? {})),
      ...Object.entries(operation.headers ?? {}).map(([name, meaning]) => {
        return { name, in: 'header', description: meaning, required: false, schema: { type: 'string' } };
      }),
    ],
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: json(body.schema) } }),
    responses: {
      200: { description: answer.description, content },
      ...Object.fromEntries(
        refusals.map((status) => [status, { description: reasons[status] ?? 'refused', content: json(ErrorAnswer) }]),
      ),
    },
  };
}

const reasons: Readonly<Record<number, string>> = {
  400: 'the request is not well-formed',
  404: 'it does not exist, or the socket is nobody’s',
  409: 'the state of the appliance forbids it',
  412: 'another configuration is in force than `If-Match` says',
  413: 'the body is too large',
  415: 'the body is not JSON',
  422: 'the configuration is not valid; `errors` says where',
  500: 'it failed; what was in force still is',
  503: 'there is no room for another listener, or the appliance is being shut down',
};

function parameters(place: 'path' | 'query', properties: TProperties, optional: readonly string[]): Json[] {
  return Object.entries(properties).map(([name, schema]) => {
    const { description, ...rest } = plain(schema);
    const said = description === undefined ? {} : { description };
    return { name, in: place, ...said, required: !optional.includes(name), schema: reference(rest) };
  });
}

function json(schema: TSchema): Json {
  return { 'application/json': { schema: reference(plain(schema)) } };
}

/** As JSON Schema: without what typebox keeps for itself. */
function plain(schema: TSchema): Json {
  return JSON.parse(JSON.stringify(schema)) as Json;
}

function reference(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(reference);
  if (typeof schema !== 'object' || schema === null) return schema;
  const name = names.get(canonicalJson(schema));
  return name === undefined ? inner(schema as Json) : { $ref: `#/components/schemas/${name}` };
}

function inner(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, reference(value)]));
}
