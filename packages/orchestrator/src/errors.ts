import { AstaraError, defineErrors, type RetryClass } from '@astara/model/error.ts';

export const errors = defineErrors({
  PROVIDER_UNREACHABLE: {
    message: 'the host agent does not answer at {socket}: {reason}',
    remedy: 'Check that astara-agent runs on this host and that both programs have the same run_dir.',
    retry: 'retry',
    radius: 'provider',
    status: 503,
  },
  PROVIDER_TIMEOUT: {
    message: 'the host agent did not finish {operation} within its deadline',
    remedy: 'Look for the operation in the log of astara-agent; it is tried again.',
    retry: 'retry',
    radius: 'provider',
    status: 504,
  },
  PROVIDER_BAD_ANSWER: {
    message: 'the host agent answered {operation} with what is no answer: {reason}',
    remedy: 'Run the same version of astara-agent and astara-orchestrator.',
    retry: 'operator',
    radius: 'provider',
    status: 502,
  },
  APPLIANCE_UNREACHABLE: {
    message: 'the appliance does not answer at {socket}: {reason}',
    remedy:
      'Nothing, when the host agent is just restarting. Otherwise look for the instance in the log of astara-agent.',
    retry: 'retry',
    radius: 'appliance',
    status: 503,
  },
  APPLIANCE_TIMEOUT: {
    message: 'the appliance did not finish {operation} within its deadline',
    remedy: 'Look for the instance in the log of astara-agent; the configuration is pushed again.',
    retry: 'retry',
    radius: 'appliance',
    status: 504,
  },
  APPLIANCE_BAD_ANSWER: {
    message: 'the appliance answered {operation} with what is no answer: {reason}',
    remedy: 'Run the same version of astara-agent and astara-orchestrator.',
    retry: 'operator',
    radius: 'appliance',
    status: 502,
  },
  LIFECYCLE_NOT_CONVERGING: {
    message: '{kind} {id} did not settle in {steps} steps; the last were {rules}',
    remedy: 'A defect: what the instance reports never equals what was applied. Report it with this message.',
    retry: 'operator',
    radius: 'instance',
  },
  RESOURCE_NOT_FOUND: {
    message: 'no {kind} {id} is known here',
    remedy: 'See GET /v1/resources for those that are.',
    retry: 'terminal',
    radius: 'request',
    status: 404,
  },
  NEUTRON_NO_DHCP_PORT: {
    message: 'Neutron gave no DHCP port for network {network}',
    remedy:
      'Look into the log of neutron-server: the network is being deleted, or a subnet has no address left. It is asked again until it gives one.',
    retry: 'retry',
    radius: 'instance',
  },
  METADATA_UNREACHABLE: {
    message: 'Nova metadata service at {url} does not answer: {reason}',
    remedy: 'Check that nova-api serves metadata there, and nova_metadata_host, _port and _protocol.',
    retry: 'retry',
    radius: 'request',
    status: 502,
  },
  METADATA_BUSY: {
    message: 'More than {limit} metadata requests are under way',
    remedy: 'Nova metadata service is slow; the instance asks again by itself.',
    retry: 'retry',
    radius: 'request',
    status: 503,
  },
  METADATA_BAD_REQUEST: {
    message: 'Not a metadata request: {reason}',
    remedy: 'Requests come from an appliance, which adds X-Instance-ID, X-Tenant-ID and X-Forwarded-For.',
    retry: 'terminal',
    radius: 'request',
    status: 400,
  },
  API_ROUTE_UNKNOWN: {
    message: 'there is no {method} {path} here',
    remedy: 'See docs/reference/orchestrator-api.md.',
    retry: 'terminal',
    radius: 'request',
    status: 404,
  },
  API_INTERNAL: {
    message: 'unexpected: {reason}',
    remedy: 'A defect: report it with the log of astara-orchestrator.',
    retry: 'retry',
    radius: 'request',
    status: 500,
  },
  REQUEST_INVALID: {
    message: '{reason}',
    remedy: 'See docs/reference/orchestrator-api.md.',
    retry: 'terminal',
    radius: 'request',
    status: 400,
  },
});

/** How the queue treats what a reconcile threw. What is no error of ours is tried again. */
export function retryClassOf(error: unknown): RetryClass {
  return error instanceof AstaraError ? error.retry : 'retry';
}
