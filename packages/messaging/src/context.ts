import { randomUUID } from 'node:crypto';
import type { RequestContext } from './contract.ts';
import type { Message } from './envelope.ts';

/** The sender's request context, without its token. */
export function readContext(message: Message): RequestContext {
  const { _context_roles: roles, _context_is_admin: isAdmin } = message;
  const fields = {
    requestId: text(message._context_request_id),
    timestamp: parseTime(message._context_timestamp),
    projectId: text(message._context_project_id),
    projectName: text(message._context_project_name),
    userId: text(message._context_user_id),
    userName: text(message._context_user_name),
    roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : undefined,
    isAdmin: typeof isAdmin === 'boolean' ? isAdmin : undefined,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * `_context_*` as stock Neutron writes it, which has several names for the same: receivers differ in which they read.
 * What is not known is left out.
 */
export function contextFields(context: RequestContext = {}): Message {
  const { requestId, timestamp, projectId, projectName, userId, userName, roles, isAdmin } = context;
  return {
    _context_is_admin: isAdmin ?? userId === undefined,
    _context_request_id: requestId ?? `req-${randomUUID()}`,
    ...(timestamp === undefined ? {} : { _context_timestamp: formatTime(timestamp) }),
    ...(projectId === undefined
      ? {}
      : { _context_project_id: projectId, _context_tenant_id: projectId, _context_project: projectId }),
    ...(projectName === undefined ? {} : { _context_project_name: projectName, _context_tenant_name: projectName }),
    ...(userId === undefined ? {} : { _context_user_id: userId, _context_user: userId }),
    ...(userName === undefined ? {} : { _context_user_name: userName }),
    ...(roles === undefined ? {} : { _context_roles: roles }),
  };
}

/** `2026-11-20 20:36:30.971915`, in UTC, as OpenStack writes it → milliseconds since the epoch. */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  const iso = text.replace(' ', 'T');
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/** Milliseconds since the epoch → `2026-11-20 20:36:30.971000`, in UTC. */
export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '000');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
