import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A throw-away authority and a certificate of it for `localhost` and 127.0.0.1. Paths of PEM files. */
export function makeCertificates(dir: string): { ca: string; cert: string; key: string } {
  const at = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const key = (name: string) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(name)];
  openssl('req', '-x509', ...key('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=at-messaging CA', '-days', '2');
  openssl('req', ...key('broker.key'), '-out', at('broker.csr'), '-subj', '/CN=localhost');
  writeFileSync(at('san.cnf'), 'subjectAltName = DNS:localhost, IP:127.0.0.1\n');
  const signer = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('san.cnf')];
  openssl('x509', '-req', '-in', at('broker.csr'), ...signer, '-out', at('broker.pem'), '-days', '2');
  // The broker runs as another user.
  chmodSync(at('broker.key'), 0o644);
  return { ca: at('ca.pem'), cert: at('broker.pem'), key: at('broker.key') };
}
