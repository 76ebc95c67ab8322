import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './world.ts';

/** A certificate authority for tests, of openssl(1). */
export class Authority {
  readonly #directory: string;
  readonly #algorithm: readonly string[];
  readonly certificate: string;

  private constructor(directory: string, algorithm: readonly string[], certificate: string) {
    this.#directory = directory;
    this.#algorithm = algorithm;
    this.certificate = certificate;
  }

  /** `algorithm`: of its key and those it signs, as `openssl req -newkey` wants it. */
  static async create(name: string, algorithm: readonly string[] = EC): Promise<Authority> {
    const directory = await mkdtemp(join(tmpdir(), `at-ca-${process.pid}-`));
    const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'];
    const files = ['-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.pem')];
    await openssl(['req', '-x509', '-nodes', '-newkey', ...algorithm, '-subj', `/CN=${name}`, ...extensions, ...files]);
    return new Authority(directory, algorithm, await readFile(join(directory, 'ca.pem'), 'utf8'));
  }

  /** A certificate for `name`, which is also its DNS name. */
  async issue(name: string): Promise<{ certificate: string; private_key: string }> {
    const path = (suffix: string) => join(this.#directory, `${name}.${suffix}`);
    const key = ['-nodes', '-newkey', ...this.#algorithm, '-keyout', path('key')];
    await openssl(['req', ...key, '-subj', `/CN=${name}`, '-out', path('csr')]);
    await writeFile(path('ext'), `subjectAltName=DNS:${name}\n`);
    const ca = ['-CA', join(this.#directory, 'ca.pem'), '-CAkey', join(this.#directory, 'ca.key'), '-CAcreateserial'];
    await openssl(['x509', '-req', '-in', path('csr'), ...ca, '-extfile', path('ext'), '-out', path('pem')]);
    const [certificate, private_key] = await Promise.all([
      readFile(path('pem'), 'utf8'),
      readFile(path('key'), 'utf8'),
    ]);
    return { certificate, private_key };
  }

  async destroy(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const RSA = ['rsa:2048'];
export const ED25519 = ['ed25519'];

async function openssl(args: readonly string[]): Promise<void> {
  const { status, stderr } = await run('openssl', args);
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
