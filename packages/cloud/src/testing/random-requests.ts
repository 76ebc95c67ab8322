import fc from 'fast-check';
import { changePort, dropPort } from '../network/ports.ts';
import type { Rig } from './rig.ts';

/** Random requests, possible or not; `pick` chooses among what is there. */
export interface Step {
  readonly what: keyof typeof steps;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const pick = <T>(items: readonly T[], at: number): T | undefined => items[at % Math.max(items.length, 1)];
const idOf = (rows: readonly { readonly id: string }[], at: number) => pick(rows, at)?.id ?? 'none';

const cidrs = ['10.1.0.0/29', '10.2.0.0/29', '10.1.0.0/28', 'fd00:1::/64', 'fd00:2::/64'];

export const steps = {
  router: (rig: Rig, { a, b }: Step) =>
    rig.make('routers', b % 2 === 0 ? {} : { external_gateway_info: { network_id: external(rig, a) } }),
  gateway: (rig: Rig, { a, b, c }: Step) =>
    rig.ask('PUT', `routers/${router(rig, a)}`, {
      router: {
        external_gateway_info: c % 3 === 0 ? null : { network_id: external(rig, b), enable_snat: c % 2 === 0 },
      },
    }),
  dropRouter: (rig: Rig, { a }: Step) => rig.ask('DELETE', `routers/${router(rig, a)}`),
  network: (rig: Rig, { a, b }: Step) => rig.network([cidrs[a % 5] ?? '', cidrs[b % 5] ?? '']),
  dropNetwork: (rig: Rig, { a }: Step) => rig.ask('DELETE', `networks/${idOf(rig.store.networks.all(), a)}`),
  attach: (rig: Rig, { a, b, c }: Step) =>
    rig.ask('PUT', `routers/${router(rig, a)}/add_router_interface`, {
      ...(c % 3 === 0 ? { port_id: idOf(rig.store.ports.all(), b) } : { subnet_id: idOf(rig.store.subnets.all(), b) }),
    }),
  detach: (rig: Rig, { a, b, c }: Step) =>
    rig.ask('PUT', `routers/${router(rig, a)}/remove_router_interface`, {
      ...(c % 3 === 0 ? { port_id: idOf(rig.store.ports.all(), b) } : { subnet_id: idOf(rig.store.subnets.all(), b) }),
    }),
  routes: (rig: Rig, { a, b }: Step) =>
    rig.ask('PUT', `routers/${router(rig, a)}`, {
      router: {
        routes: b % 3 === 0 ? [] : [{ destination: '172.16.0.0/16', nexthop: `10.${1 + (b % 2)}.0.${b % 7}` }],
      },
    }),
  port: (rig: Rig, { a }: Step) => rig.port(idOf(rig.store.networks.all(), a)),
  movePort: (rig: Rig, { a, b }: Step) => {
    const port = pick(servers(rig), a);
    // As in Neutron, a floating IP stays with an address that its port has no more.
    if (port === undefined || rig.store.floatingIps.count('port', port.id) > 0) return;
    const subnet_id = idOf(rig.store.subnets.by('network', port.network_id), b);
    rig.requests.system((context) => changePort(context, port, { fixed_ips: [{ subnet_id }] }));
  },
  dropPort: (rig: Rig, { a }: Step) => {
    const port = pick(servers(rig), a);
    if (port !== undefined) rig.requests.system((context) => dropPort(context, port));
  },
  float: (rig: Rig, { a, b, c }: Step) =>
    rig.make('floatingips', {
      floating_network_id: external(rig, a),
      ...(c % 3 === 0 ? {} : { port_id: idOf(rig.store.ports.all(), b) }),
    }),
  lead: (rig: Rig, { a, b, c }: Step) =>
    rig.ask('PUT', `floatingips/${floatingIp(rig, a)}`, {
      floatingip: { port_id: c % 3 === 0 ? null : idOf(rig.store.ports.all(), b) },
    }),
  dropFloat: (rig: Rig, { a }: Step) => rig.ask('DELETE', `floatingips/${floatingIp(rig, a)}`),
  forward: (rig: Rig, { a, b, c }: Step) => {
    const port = pick(rig.store.ports.all(), b);
    rig.make(`floatingips/${floatingIp(rig, a)}/port_forwardings`, {
      protocol: 'tcp',
      external_port: 1 + (c % 4),
      internal_port: 1 + (b % 4),
      internal_port_id: port?.id,
      internal_ip_address: port?.fixed_ips[0]?.ip_address,
    });
  },
  dropForward: (rig: Rig, { a }: Step) => {
    const rule = pick(rig.store.portForwardings.all(), a);
    rig.ask('DELETE', `floatingips/${rule?.floatingip_id}/port_forwardings/${rule?.id}`);
  },
} as const satisfies Readonly<Record<string, (rig: Rig, step: Step) => unknown>>;

const router = (rig: Rig, at: number) => idOf(rig.store.routers.all(), at);
const floatingIp = (rig: Rig, at: number) => idOf(rig.store.floatingIps.all(), at);
export const external = (rig: Rig, at: number) =>
  idOf(
    rig.store.networks.all().filter((network) => network.external),
    at,
  );
const servers = (rig: Rig) => rig.store.ports.all().filter((port) => port.device_owner === '');

export const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...(Object.keys(steps) as (keyof typeof steps)[])),
  a: fc.nat(20),
  b: fc.nat(20),
  c: fc.nat(20),
});
