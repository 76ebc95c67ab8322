import type { RequestContext } from '@astara/messaging/contract.ts';
import { invalidInput } from '../api/fault.ts';
import { isObject } from '../api/parse.ts';
import { newRequestId } from '../api/requests.ts';
import type { Caller } from '../api/resource.ts';

/** Arguments of agents' calls, by type; what does not fit is the agent's mistake. */

export function text(value: unknown): string {
  if (typeof value !== 'string') throw invalidInput(`a string was expected, not ${typeof value}`);
  return value;
}

export function texts(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalidInput(`a list was expected, not ${typeof value}`);
  return value.map(text);
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw invalidInput(`an object was expected, not ${typeof value}`);
  return value;
}

/** Agents are administrators. */
export function callerOf({ requestId, timestamp, userId, projectId }: RequestContext): Caller {
  return {
    userId: userId ?? '',
    projectId: projectId ?? '',
    isAdmin: true,
    requestId: requestId ?? newRequestId(),
    timestamp: timestamp ?? Date.now(),
  };
}
