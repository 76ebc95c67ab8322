import { randomUUID } from 'node:crypto';
import type { Args, Incoming, Messaging } from '@astara/messaging/contract.ts';
import { LocalBus } from '@astara/messaging/local/bus.ts';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { Agents } from '../agents/agents.ts';
import { networkOperations } from '../agents/network-operations.ts';
import { routerOperations } from '../agents/router-operations.ts';
import { agentResource, dhcpAgent, l3Agent } from '../network/agents.ts';
import { Rig } from './rig.ts';
import { until } from './until.ts';

const types = { l3: l3Agent, dhcp: dhcpAgent } as const;

/** For tests: an agent that listens, and remembers what it was told. */
export class FakeAgent {
  readonly messaging: Messaging;
  readonly host: string;
  readonly type: 'l3' | 'dhcp';
  readonly got: Incoming[] = [];
  readonly #marks: unknown[] = [];
  readonly #server: Messaging;

  constructor(messaging: Messaging, server: Messaging, type: 'l3' | 'dhcp', host: string) {
    this.messaging = messaging;
    this.#server = server;
    this.type = type;
    this.host = host;
  }

  async listen(): Promise<void> {
    const methods = [
      ...['routers_updated', 'router_deleted', 'router_added_to_agent', 'router_removed_from_agent', 'agent_updated'],
      ...['network', 'subnet', 'port'].flatMap((what) =>
        ['create', 'update', 'delete'].map((how) => `${what}_${how}_end`),
      ),
    ];
    const note = (message: Incoming) => {
      this.got.push(message);
      return null;
    };
    const mark = ({ args }: Incoming) => {
      this.#marks.push(args.mark);
      return null;
    };
    const handlers = { ...Object.fromEntries(methods.map((method) => [method, note])), mark };
    await this.messaging.serve({ topic: `${this.type}_agent`, host: this.host, version: '1.5', handlers });
  }

  report(more: Args = {}): Promise<string> {
    const state = {
      binary: `neutron-${this.type}-agent`,
      host: this.host,
      availability_zone: 'nova',
      topic: `${this.type}_agent`,
      configurations: {},
      agent_type: types[this.type],
      ...more,
    };
    const args = { agent_state: { agent_state: state }, time: new Date().toISOString() };
    return this.call('q-reports-plugin', '1.2', 'report_state', args);
  }

  /** `host` is added. */
  ask<T>(method: string, args: Args = {}, version = '1.0'): Promise<T> {
    return this.call(this.type === 'l3' ? 'q-l3-plugin' : 'q-plugin', version, method, { ...args, host: this.host });
  }

  call<T>(topic: string, version: string, method: string, args: Args): Promise<T> {
    return this.messaging.call<T>({ topic, version }, method, args, { timeout: 5_000 });
  }

  /** What came since the last time; everything sent before has come. */
  async messages(): Promise<Incoming[]> {
    const mark = randomUUID();
    const to = { topic: `${this.type}_agent`, version: '1.0' };
    await this.#server.cast({ ...to, server: this.host }, 'mark', { mark });
    await this.#server.cast({ ...to, fanout: true }, 'mark', { mark });
    await until(() => this.#marks.filter((one) => one === mark).length === 2);
    return this.got.splice(0);
  }

  /** The same by name. */
  async heard(): Promise<string[]> {
    return (await this.messages()).map((message) => message.method);
  }
}

/** A cloud whose agents talk to it over a bus in memory. Ends with the test. */
export class AgentsRig extends Rig {
  readonly bus = new LocalBus();
  readonly server = this.bus.connect('server');
  readonly agents = new Agents({
    requests: this.requests,
    messaging: this.server,
    host: 'cloud1',
    log: pino({ level: 'silent' }),
  });

  static async start(): Promise<AgentsRig> {
    const rig = new AgentsRig();
    rig.api.add(agentResource()).addOperations([...routerOperations(), ...networkOperations()]);
    await rig.agents.start();
    onTestFinished(async () => {
      await rig.agents.stop();
      await rig.server.close();
    });
    return rig;
  }

  /** An agent that has reported. */
  async agent(type: 'l3' | 'dhcp', host: string, more: Args = {}): Promise<FakeAgent> {
    const agent = new FakeAgent(this.bus.connect(host), this.server, type, host);
    onTestFinished(() => agent.messaging.close());
    await agent.listen();
    await agent.report(more);
    return agent;
  }

  agentId({ type, host }: FakeAgent): string {
    const found = this.agents.registry.find(types[type], host);
    if (found === undefined) throw new Error(`no agent on ${host}`);
    return found.id;
  }
}
