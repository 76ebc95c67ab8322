import type { Attachment, InstanceView } from '@astara/model/instance.ts';
import { expect, test } from 'vitest';
import type { Desired } from '../drivers/driver.ts';
import { type Circumstances, situate } from './situation.ts';

const port: Attachment = {
  port_id: '11111111-1111-1111-1111-111111111111',
  network_id: '22222222-2222-2222-2222-222222222222',
  mac_address: 'fa:16:3e:00:00:01',
  mtu: 1500,
  ifname: 'qr-11111111-11',
  plug: 'bridge',
};
const other: Attachment = { ...port, port_id: '33333333-3333-3333-3333-333333333333', ifname: 'qg-33333333-33' };
const resource = { kind: 'router', id: '44444444' } as const;
const desired: Desired = {
  instanceId: '44444444',
  spec: { resource, attachments: [port, other] },
  config: { hostname: 'r', tenant_id: '55555555', networks: [], floating_ips: [] },
};
const view: InstanceView = {
  id: '44444444',
  resource,
  state: 'running',
  created_at: '2026-11-21T00:00:00Z',
  attachments: [other, { ...port, mac_address: port.mac_address.toUpperCase() }],
  appliance_socket: '/nowhere',
  applied: { generation: 1, etag: 'e' },
  services: [{ name: 'dnsmasq', wanted: false, running: false }],
};
const usual: Circumstances = {
  desired,
  etag: 'e',
  views: [view],
  boots: 0,
  maxBoots: 5,
  cooldown: 'over',
  cause: 'update',
  rebuild: false,
  breakerOpen: false,
};

test('all as wanted: order and spelling do not matter', () => {
  expect(situate(usual)).toMatchObject({
    wanted: 'present',
    instance: 'running',
    surplus: 'none',
    ports: 'same',
    config: 'same',
    services: 'running',
    boots: 'left',
  });
});

test.each<[string, Partial<Circumstances>, Partial<ReturnType<typeof situate>>]>([
  ['the provider was never asked', { views: undefined }, { instance: 'unknown' }],
  ['there is none', { views: [] }, { instance: 'none', ports: 'same', config: 'none' }],
  ['another instance of the resource', { views: [{ ...view, id: 'old' }] }, { instance: 'none', surplus: 'some' }],
  [
    'not wanted, whatever its id',
    { desired: 'absent', views: [{ ...view, id: 'old' }] },
    { instance: 'running', surplus: 'none' },
  ],
  ['an interface too few', { views: [{ ...view, attachments: [port] }] }, { ports: 'differ' }],
  ['another MTU', { views: [{ ...view, attachments: [port, { ...other, mtu: 1450 }] }] }, { ports: 'differ' }],
  ['another configuration', { etag: 'f' }, { config: 'differs' }],
  ['no configuration', { views: [{ ...view, applied: null }] }, { config: 'none' }],
  [
    'a service died',
    { views: [{ ...view, services: [{ name: 'bird', wanted: true, running: false }] }] },
    { services: 'down' },
  ],
  ['the fifth failed', { boots: 5 }, { boots: 'exhausted' }],
])('%s', (_what, change, seen) => {
  expect(situate({ ...usual, ...change })).toMatchObject(seen);
});
