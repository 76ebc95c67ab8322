import { OpenStackError, type OpenStackErrorCode } from './errors.ts';
import type { Answer } from './transport.ts';

/** What a service answered instead of what was asked for, as an error. `request` is like `GET /v2.0/ports`. */
export function serviceError(service: string, request: string, answer: Answer): OpenStackError {
  const { status } = answer;
  const { type, message } = parseFault(answer.text);
  const context = { httpStatus: status, type, requestId: answer.header('x-openstack-request-id') };
  const reason = message ?? type ?? 'no reason given';
  return new OpenStackError(codeOf(status, type), { service, request, status, reason }, context);
}

function codeOf(status: number, type: string | undefined): OpenStackErrorCode {
  if (type === 'OverQuota' || type === 'QuotaExceeded') return 'OPENSTACK_QUOTA';
  switch (status) {
    case 401:
      return 'OPENSTACK_UNAUTHORIZED';
    case 403:
      return 'OPENSTACK_FORBIDDEN';
    case 404:
      return 'OPENSTACK_NOT_FOUND';
    case 409:
    case 412:
      return 'OPENSTACK_CONFLICT';
    case 429:
      return 'OPENSTACK_RATE_LIMITED';
    case 502:
    case 503:
    case 504:
      return 'OPENSTACK_UNAVAILABLE';
    default:
      if (status >= 500) return 'OPENSTACK_SERVER_ERROR';
      return status >= 400 ? 'OPENSTACK_BAD_REQUEST' : 'OPENSTACK_BAD_ANSWER';
  }
}

/**
 * Services wrap their errors in one key: `NeutronError: { type, message, detail }`, `itemNotFound: { code, message }`,
 * `error: { title, message }`; Octavia has `faultstring`. Proxies answer with HTML.
 */
function parseFault(text: string): { type?: string; message?: string } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // A proxy's page: its status says all there is.
    return {};
  }
  if (!isRecord(body)) return {};
  if (typeof body.faultstring === 'string') return { message: cut(body.faultstring) };
  for (const inner of Object.values(body)) {
    if (typeof inner === 'string') return { message: cut(inner) };
    if (isRecord(inner) && typeof inner.message === 'string') {
      return { message: cut(inner.message), ...(typeof inner.type === 'string' ? { type: inner.type } : {}) };
    }
  }
  return {};
}

function cut(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
