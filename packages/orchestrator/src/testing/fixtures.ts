import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Notification } from '@astara/messaging/contract.ts';
import type { DhcpNetwork, Port, SyncedRouter } from '@astara/openstack/neutron-types.ts';

/** Messages of a real Neutron (Zed, 21.0.0), recorded on the wire. Each call gives a new copy. */

export function syncedRouters(): SyncedRouter[] {
  return read<SyncedRouter[]>('sync-routers.json');
}

export function activeNetworks(): DhcpNetwork[] {
  return read<DhcpNetwork[]>('active-networks.json');
}

export function networkInfo(): DhcpNetwork {
  return read<DhcpNetwork>('network-info.json');
}

export function dhcpPort(): Port {
  return read<Port>('dhcp-port.json');
}

export interface RecordedCast {
  readonly method: string;
  readonly version: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export function cast(name: string): RecordedCast {
  return member(read<Record<string, RecordedCast>>('casts.json'), name);
}

export function reportState(agent: 'l3' | 'dhcp'): Readonly<Record<string, unknown>> {
  return member(read<Record<string, Readonly<Record<string, unknown>>>>('report-state.json'), agent);
}

export function notification(name: string): Notification {
  const { event_type, publisher_id, priority, payload, timestamp } = member(
    read<Record<string, RecordedNotification>>('notifications.json'),
    name,
  );
  return {
    eventType: event_type,
    publisherId: publisher_id,
    priority,
    payload,
    timestamp: Date.parse(`${timestamp.replace(' ', 'T')}Z`),
    context: {},
  };
}

interface RecordedNotification {
  readonly event_type: string;
  readonly publisher_id: string;
  readonly priority: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
}

/** The only element, or the first. */
export function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('nothing there');
  return item;
}

function member<T>(of: Readonly<Record<string, T>>, name: string): T {
  const found = of[name];
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../../test-fixtures', name), 'utf8')) as T;
}
