import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM files of one party. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority for a test, in a directory; made with openssl(1). */
export class TestCa {
  readonly certificate: string;
  readonly #key: string;
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    this.certificate = join(directory, `${name}.pem`);
    this.#key = join(directory, `${name}.key`);
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#key,
      '-out',
      this.certificate,
    );
  }

  /** `names`: such as `IP:192.0.2.1`. */
  issue(who: string, names = 'DNS:localhost'): Credentials {
    const path = (suffix: string) => join(this.#directory, `${this.#name}-${who}.${suffix}`);
    openssl('req', ...newKey, '-subj', `/CN=${who}`, '-keyout', path('key'), '-out', path('csr'));
    writeFileSync(path('ext'), `subjectAltName=${names}\n`);
    const signed = [
      '-CA',
      this.certificate,
      '-CAkey',
      this.#key,
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      path('ext'),
    ];
    openssl('x509', '-req', '-in', path('csr'), ...signed, '-out', path('pem'));
    return { certificate: path('pem'), key: path('key') };
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
