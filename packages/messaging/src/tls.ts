import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, type SecureVersion } from 'node:tls';
import { errors } from './errors.ts';
import type { RabbitOptions } from './options.ts';

export interface TlsSettings {
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Absent: Node's own range. */
  readonly version: SecureVersion | undefined;
  readonly verifyHostname: boolean;
}

/** Python's names of protocol versions; SSLv23 there means "the best both have". */
const versions: Readonly<Record<string, SecureVersion | undefined>> = {
  '': undefined,
  sslv23: undefined,
  tlsv1: 'TLSv1',
  tlsv1_1: 'TLSv1.1',
  tlsv1_2: 'TLSv1.2',
  tlsv1_3: 'TLSv1.3',
};

/** Checks the files at once, so that a wrong path stops the start and not the first connection. */
export function compileTls(rabbit: RabbitOptions): TlsSettings {
  const version = (rabbit.ssl_version ?? '').toLowerCase();
  if (!(version in versions)) throw bad('ssl_version', `${rabbit.ssl_version} is not supported; leave it empty`);
  const settings: TlsSettings = {
    caFile: rabbit.ssl_ca_file || undefined,
    certFile: rabbit.ssl_cert_file || undefined,
    keyFile: rabbit.ssl_key_file || undefined,
    version: versions[version],
    verifyHostname: rabbit.ssl_enforce_hostname_verification ?? true,
  };
  if (settings.certFile && !settings.keyFile) throw bad('ssl_key_file', 'it is needed with ssl_cert_file');
  if (settings.keyFile && !settings.certFile) throw bad('ssl_cert_file', 'it is needed with ssl_key_file');
  const { ca, cert, key } = tlsOptions(settings);
  check('ssl_ca_file', () => createSecureContext({ ca }));
  check('ssl_cert_file', () => createSecureContext({ cert }));
  check('ssl_key_file', () => createSecureContext({ cert, key }));
  return settings;
}

/** For each connection anew: certificates are replaced while we run. */
export function tlsOptions(settings: TlsSettings): ConnectionOptions {
  const { version, verifyHostname } = settings;
  return {
    ca: read('ssl_ca_file', settings.caFile),
    cert: read('ssl_cert_file', settings.certFile),
    key: read('ssl_key_file', settings.keyFile),
    ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
    ...(verifyHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}

function read(option: string, path: string | undefined): Buffer | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path);
  } catch (cause) {
    throw bad(option, `${path} cannot be read (${cause instanceof Error ? cause.message : cause})`, cause);
  }
}

function check(option: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw bad(option, `it is no valid PEM file (${cause instanceof Error ? cause.message : cause})`, cause);
  }
}

function bad(option: string, problem: string, cause?: unknown) {
  return errors.make('MESSAGING_BAD_OPTION', { option, problem }, { cause });
}
