import { existsSync } from 'node:fs';
import { runProgram } from '@astara/appliance/run-program.ts';
import { type Attachment, tapName } from '@astara/model/instance.ts';
import { errors } from '../errors.ts';
import type { Plug } from './plug.ts';

export interface OvsOptions {
  readonly bridge: string;
  /** OVSDB connection method, such as `unix:/run/openvswitch/db.sock`; empty: ovs-vsctl's default. */
  readonly db: string;
  /** Marks our ports, so that two agents on a host leave each other's alone. */
  readonly owner: string;
}

const TIMEOUT_SECONDS = 10;

/**
 * Adds each tap to the integration bridge, with the external ids by which neutron-openvswitch-agent (or OVN) knows the port.
 * `astara-instance` and `astara-owner` are ours: they find the ports again when the devices are long gone.
 */
export class OvsPlug implements Plug {
  readonly kind = 'ovs';
  readonly #options: OvsOptions;

  constructor(options: OvsOptions) {
    this.#options = options;
  }

  async wire(instanceId: string, attachments: readonly Attachment[]): Promise<void> {
    const { bridge, owner } = this.#options;
    const wanted = new Map(
      attachments.map((attachment) => [tapName(attachment.port_id), externalIds(attachment, instanceId, owner)]),
    );
    const present = await this.#find(`external_ids:${column('astara-instance', instanceId)}`);
    const superfluous = present.filter((port) => !wanted.has(port.name)).map((port) => port.name);
    const missing = [...wanted].filter(([name, ids]) => {
      const port = present.find((candidate) => candidate.name === name);
      return port === undefined || Object.entries(ids).some(([key, value]) => port.externalIds.get(key) !== value);
    });
    await this.#change([
      ...superfluous.map((name) => ['--if-exists', 'del-port', name]),
      ...missing.flatMap(([name, ids]) => [
        ['--may-exist', 'add-port', bridge, name],
        ['set', 'Interface', name, ...Object.entries(ids).map(([key, value]) => `external_ids:${column(key, value)}`)],
      ]),
    ]);
  }

  async collect(known: ReadonlySet<string>): Promise<void> {
    const { db } = this.#options;
    // A host without Open vSwitch has nothing to collect.
    if (db.startsWith('unix:') && !existsSync(db.slice('unix:'.length))) return;
    const ours = await this.#find(`external_ids:${column('astara-owner', this.#options.owner)}`);
    const orphans = ours.filter((port) => !known.has(port.externalIds.get('astara-instance') ?? ''));
    await this.#change(orphans.map((port) => ['--if-exists', 'del-port', port.name]));
  }

  async #find(condition: string): Promise<OvsPort[]> {
    const text = await this.#vsctl(['--format=json', '--columns=name,external_ids', 'find', 'Interface', condition]);
    return parsePorts(text);
  }

  /** One OVSDB transaction. Waits until ovs-vswitchd has done it. */
  async #change(commands: readonly (readonly string[])[]): Promise<void> {
    if (commands.length > 0) await this.#vsctl(commands.flatMap((command) => ['--', ...command]));
  }

  async #vsctl(args: readonly string[]): Promise<string> {
    const { db } = this.#options;
    const common = [`--timeout=${TIMEOUT_SECONDS}`, ...(db === '' ? [] : [`--db=${db}`])];
    const result = await runProgram(['ovs-vsctl', ...common, ...args], { timeout: (TIMEOUT_SECONDS + 1) * 1000 });
    if (result.problem === '') return result.stdout;
    throw errors.make('AGENT_OVS_FAILED', { reason: result.stderr.trim() || result.problem });
  }
}

interface OvsPort {
  readonly name: string;
  readonly externalIds: ReadonlyMap<string, string>;
}

function externalIds(attachment: Attachment, instanceId: string, owner: string): Record<string, string> {
  return {
    'iface-id': attachment.port_id,
    'iface-status': 'active',
    'attached-mac': attachment.mac_address.toLowerCase(),
    'astara-instance': instanceId,
    'astara-owner': owner,
  };
}

/** `key="value"`, quoted as ovs-vsctl(8) wants any string that is not a plain word. */
function column(key: string, value: string): string {
  return `${key}=${JSON.stringify(value)}`;
}

/** ovs-vsctl's JSON: `{ data: [[name, ["map", [[key, value], …]]], …] }`. */
function parsePorts(text: string): OvsPort[] {
  const { data } = JSON.parse(text) as { data: [string, ['map', [string, string][]]][] };
  return data.map(([name, [, ids]]) => ({ name, externalIds: new Map(ids) }));
}
