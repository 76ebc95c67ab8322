import type { Args } from '@astara/messaging/contract.ts';

/** A message to agents. */
export interface Cast {
  readonly topic: 'l3_agent' | 'dhcp_agent';
  /** To the agent there; absent: to all of the topic. */
  readonly host?: string;
  readonly version: string;
  readonly method: string;
  readonly args: Args;
  /** Neutron waits until the agent has it. */
  readonly call?: boolean;
}

/** What the payloads of both topics have in common. */
export function told(topic: Cast['topic'], host: string | undefined, method: string, payload: unknown): Cast {
  return { topic, ...(host === undefined ? {} : { host }), version: '1.0', method, args: { payload } };
}
