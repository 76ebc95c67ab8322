import { randomBytes, randomUUID } from 'node:crypto';
import type { Attachment, InstanceSpec, PlugKind } from '@astara/model/instance.ts';

/** Unique names, so that tests can run side by side on one host. */
export function uniqueId(): string {
  return `at-agent-${randomBytes(4).toString('hex')}`;
}

export function attachment(options: { ifname?: string; plug?: PlugKind; mtu?: number; mac?: string } = {}): Attachment {
  const [a, b, c] = randomBytes(3).toString('hex').match(/../g) ?? [];
  return {
    port_id: randomUUID(),
    network_id: randomUUID(),
    mac_address: options.mac ?? `fa:16:3e:${a}:${b}:${c}`,
    mtu: options.mtu ?? 1450,
    ifname: options.ifname ?? `qr-${randomBytes(4).toString('hex')}`,
    plug: options.plug ?? 'bridge',
  };
}

export function spec(attachments: Attachment[] = []): InstanceSpec {
  return { resource: { kind: 'router', id: randomUUID() }, attachments };
}
