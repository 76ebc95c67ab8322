import { AstaraError, defineErrors, type ErrorParams, type RetryClass } from '@astara/model/error.ts';

export const errors = defineErrors({
  MESSAGING_BAD_OPTION: {
    message: '{option}: {problem}',
    remedy: 'Correct {option} in the configuration. Settings of the bus must equal those of neutron-server.',
    retry: 'operator',
    radius: 'cluster',
  },
  MESSAGING_BAD_TRANSPORT_URL: {
    message: 'transport_url: {problem}',
    remedy:
      'Write transport_url as rabbit://user:password@host:port,user:password@host2:port/vhost; percent-encode special characters of the password.',
    retry: 'operator',
    radius: 'cluster',
  },
  MESSAGING_UNREACHABLE: {
    message: 'No connection to RabbitMQ at {broker}: {reason}',
    remedy: 'Check that RabbitMQ runs, and host and port in transport_url. Connecting is tried again until it works.',
    retry: 'retry',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_ACCESS_REFUSED: {
    message: 'RabbitMQ at {broker} refused user {user} on virtual host {vhost}: {reason}',
    remedy: 'Check user, password and virtual host in transport_url, and `rabbitmqctl list_user_permissions {user}`.',
    retry: 'operator',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_TLS: {
    message: 'TLS with RabbitMQ at {broker} failed: {reason}',
    remedy:
      'Check ssl, ssl_ca_file, ssl_cert_file, ssl_key_file and ssl_version; the certificate must name the host in transport_url unless ssl_enforce_hostname_verification is off.',
    retry: 'operator',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_TOPOLOGY_MISMATCH: {
    message: 'The {kind} {name} exists with {argument} {theirs}, we would declare it with {ours}',
    remedy:
      'Set {option} as in neutron.conf ([oslo_messaging_rabbit]), or delete the {kind} {name} in RabbitMQ if it is a leftover.',
    retry: 'operator',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_DISCONNECTED: {
    message: '{what} was not sent within {timeout} ms: no connection to RabbitMQ',
    remedy: 'Check that RabbitMQ runs and is reachable with transport_url.',
    retry: 'retry',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_NO_DESTINATION: {
    message: '{what} was not sent within {timeout} ms: nobody has declared a queue for {topic}',
    remedy: 'Check that the service that listens on {topic} runs and uses the same control_exchange and virtual host.',
    retry: 'retry',
    radius: 'cluster',
    status: 503,
  },
  MESSAGING_TIMEOUT: {
    message: 'No answer to {method} from {topic} within {timeout} ms',
    remedy: 'Check that the service that listens on {topic} runs and is not overloaded.',
    retry: 'retry',
    radius: 'request',
    status: 504,
  },
  MESSAGING_REMOTE_ERROR: {
    message: '{topic} answered {method} with {class}: {message}',
    remedy: 'Look for {class} in the log of the service that listens on {topic}.',
    retry: 'retry',
    radius: 'request',
    status: 502,
  },
  MESSAGING_MALFORMED: {
    message: 'A message cannot be understood: {problem}',
    remedy: 'Find out who publishes to the queue that the log names; the message was dropped.',
    retry: 'terminal',
    radius: 'request',
  },
  MESSAGING_CLOSED: {
    message: 'Messaging is closed',
    remedy: 'Nothing to do: the process is shutting down.',
    retry: 'terminal',
    radius: 'request',
    status: 503,
  },
});

/** MESSAGING_REMOTE_ERROR: what the server's handler raised. */
export class RemoteError extends AstaraError {
  /** Name of the exception's class, e.g. `RouterNotFound`. */
  readonly remoteClass: string;
  /** Module of that class, e.g. `neutron_lib.exceptions.l3`. */
  readonly remoteModule: string;
  readonly remoteMessage: string;

  constructor(remote: { class: string; module: string; message: string }, params: ErrorParams) {
    super(
      'MESSAGING_REMOTE_ERROR',
      { ...errors.MESSAGING_REMOTE_ERROR, retry: retryClassOf(remote.class) },
      { ...params, class: remote.class, module: remote.module, message: remote.message },
    );
    this.remoteClass = remote.class;
    this.remoteModule = remote.module;
    this.remoteMessage = remote.message;
  }
}

/** A wrong request stays wrong, a version that does not fit needs a person; all else may pass (a deadlock, a restart). */
function retryClassOf(remoteClass: string): RetryClass {
  if (/^(NoSuchMethod|UnsupportedVersion|RPCVersionCapError)$|NotAuthorized$|Forbidden$/.test(remoteClass)) {
    return 'operator';
  }
  return /NotFound$|^Invalid|^BadRequest$|^(TypeError|ValueError)$/.test(remoteClass) ? 'terminal' : 'retry';
}
