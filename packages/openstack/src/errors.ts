import { AstaraError, defineErrors, type ErrorParams } from '@astara/model/error.ts';

export const openstackErrors = defineErrors({
  OPENSTACK_NO_CLOUD: {
    message: 'nothing says which OpenStack to use',
    remedy:
      'Set [keystone] cloud to a cloud of clouds.yaml, or [keystone] auth_url, username, password and project_name, or OS_CLOUD or OS_AUTH_URL in the environment.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_CLOUD_UNKNOWN: {
    message: 'there is no cloud {cloud} in {where}',
    remedy: '{hint}',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_CLOUDS_FILE: {
    message: 'cannot read {file}: {reason}',
    remedy: 'Mend the file; it is the clouds.yaml of openstacksdk.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_AUTH_INCOMPLETE: {
    message: '{parameter} is not set in {source}',
    remedy: 'Set {parameter}: {needed}.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_AUTH_INVALID: {
    message: '{parameter} {problem}',
    remedy: 'Set {parameter} to {accepted}.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_KEYSTONE_UNREACHABLE: {
    message: 'Keystone does not answer at {url}: {reason}',
    remedy: 'Check that Keystone runs and can be reached from this host, and that {option} is right.',
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_KEYSTONE_WRONG_URL: {
    message: 'what answers at {url} is not Keystone v3 (HTTP {status})',
    remedy: 'Set {option} to the URL of Keystone, with or without /v3 at its end.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_AUTH_REFUSED: {
    message: 'Keystone at {url} refuses {who} (HTTP 401)',
    remedy: 'Check {options}.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_KEYSTONE_FAILED: {
    message: 'Keystone at {url} answers HTTP {status}: {reason}',
    remedy: "Look for the reason in Keystone's log; its request id is {requestId}.",
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_TLS: {
    message: 'the certificate of {url} is not to be trusted: {reason}',
    remedy: 'Set {option} to the file of the authorities that sign it.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_ENDPOINT_MISSING: {
    message: "Keystone's catalog has no {interface} endpoint of {service}{region}; it has: {available}",
    remedy: 'Set {options} to what the catalog has, or add the endpoint with `openstack endpoint create`.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_REGION_AMBIGUOUS: {
    message: "Keystone's catalog has {service} in several regions: {available}",
    remedy: 'Say which one is meant: set {options}.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_UNREACHABLE: {
    message: '{service} does not answer at {url}: {reason}',
    remedy: 'Check that {service} runs and can be reached from this host.',
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_UNAVAILABLE: {
    message: '{request}: {service} is not available (HTTP {status})',
    remedy: 'Wait, or look at {service} and at the load balancer in front of it.',
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_RATE_LIMITED: {
    message: '{request}: too many requests (HTTP {status})',
    remedy: 'Wait, or raise the rate limit of {service} for this user.',
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_TIMEOUT: {
    message: '{request}: no answer of {service} in time',
    remedy: 'Look at the load of {service} and of its database.',
    retry: 'retry',
    radius: 'cluster',
  },
  OPENSTACK_SERVER_ERROR: {
    message: '{request}: {service} failed (HTTP {status}): {reason}',
    remedy: 'Look for {requestId} in the log of {service}.',
    retry: 'retry',
    radius: 'request',
  },
  OPENSTACK_UNAUTHORIZED: {
    message: '{request}: {service} refuses a token that Keystone has just given (HTTP 401)',
    remedy: 'Look at [keystone_authtoken] and the clock of {service}: it cannot check tokens.',
    retry: 'operator',
    radius: 'cluster',
  },
  OPENSTACK_FORBIDDEN: {
    message: '{request}: not allowed (HTTP 403): {reason}',
    remedy: 'Give the user of Astara the admin role in its project: `openstack role add --user … --project … admin`.',
    retry: 'operator',
    radius: 'request',
    status: 502,
  },
  OPENSTACK_NOT_FOUND: {
    message: '{request}: not found (HTTP 404): {reason}',
    remedy: 'Nothing, if it was deleted meanwhile.',
    retry: 'terminal',
    radius: 'request',
    status: 404,
  },
  OPENSTACK_CONFLICT: {
    message: '{request}: conflict (HTTP {status}): {reason}',
    remedy: 'Something else holds what is asked for, or has changed it; it is tried again.',
    retry: 'retry',
    radius: 'request',
    status: 409,
  },
  OPENSTACK_QUOTA: {
    message: '{request}: a quota is used up: {reason}',
    remedy: 'Raise the quota of the project with `openstack quota set`, or delete what it does not need.',
    retry: 'operator',
    radius: 'request',
  },
  OPENSTACK_BAD_REQUEST: {
    message: '{request}: refused (HTTP {status}): {reason}',
    remedy: 'This is a fault of Astara or a version of {service} that it does not know; please report it.',
    retry: 'terminal',
    radius: 'request',
  },
  OPENSTACK_BAD_ANSWER: {
    message: '{request}: the answer is not what {service} should say: {reason}',
    remedy: 'Check that the endpoint is that of {service}, and that nothing in between changes answers.',
    retry: 'retry',
    radius: 'cluster',
  },
});

export type OpenStackErrorCode = Exclude<keyof typeof openstackErrors, 'make'>;

export interface Context {
  /** `req-…` of the service's own, to find it in its log. */
  readonly requestId?: string | undefined;
  readonly httpStatus?: number | undefined;
  /** The service's name of the error: `OverQuota`, `PortNotFound`… */
  readonly type?: string | undefined;
  readonly cause?: unknown;
}

export class OpenStackError extends AstaraError {
  readonly requestId: string | undefined;
  readonly httpStatus: number | undefined;
  readonly type: string | undefined;

  constructor(code: OpenStackErrorCode, params: ErrorParams, context: Context = {}) {
    const { requestId, httpStatus, type, cause } = context;
    super(
      code,
      openstackErrors[code],
      { requestId: requestId ?? 'the request', ...params },
      cause === undefined ? {} : { cause },
    );
    this.requestId = requestId;
    this.httpStatus = httpStatus;
    this.type = type;
  }
}
