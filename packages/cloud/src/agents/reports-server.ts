import type { Handler } from '@astara/messaging/contract.ts';
import type { Requests } from '../api/requests.ts';
import { record, text } from './arguments.ts';
import type { AgentRegistry, AgentReport } from './registry.ts';

/** `q-reports-plugin` 1.2: agents say that they live. */
export function reportHandlers(requests: Requests, registry: AgentRegistry): Record<string, Handler> {
  return {
    report_state({ args }) {
      // Nested twice on the wire.
      const report = reportOf(record(record(args.agent_state).agent_state));
      return requests.store.transaction(() => registry.report(report));
    },
    has_alive_neutron_server: () => true,
  };
}

function reportOf(state: Readonly<Record<string, unknown>>): AgentReport {
  return {
    agent_type: text(state.agent_type),
    binary: text(state.binary),
    topic: text(state.topic),
    host: text(state.host),
    ...(state.availability_zone === undefined ? {} : { availability_zone: zone(state.availability_zone) }),
    configurations: record(state.configurations ?? {}),
    start_flag: state.start_flag === true,
  };
}

const zone = (value: unknown) => (value === null ? null : text(value));
