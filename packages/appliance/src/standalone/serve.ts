import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { connect } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { errors } from '../errors.ts';
import { type MachineOptions, usesTls } from './options.ts';

/** ms: longer than clients keep idle connections, so that they end them and no request is lost. */
const KEEP_ALIVE = 72_000;
const HEADERS_TIMEOUT = 10_000;

export interface Listening {
  /** Reads the certificates again. Throws MACHINE_TLS_UNUSABLE, and those before are still in use. */
  reload(): void;
  /** Requests under way are answered. */
  close(): Promise<void>;
}

/** Throws MACHINE_ALREADY_RUNNING when somebody answers on the socket; a stale one is removed. */
export async function claimSocket(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true));
  socket.on('error', () => resolve(false));
  const answered = await promise;
  socket.destroy();
  if (answered) throw errors.make('MACHINE_ALREADY_RUNNING', { socket: path });
  rmSync(path, { force: true });
}

/** The API on its socket, and on an address by plain HTTP or mutual TLS: which, says the address. */
export async function serve(options: MachineOptions, handle: RequestListener): Promise<Listening> {
  const { listen, port, socket } = options;
  const servers: Server[] = [];
  const open = async (server: Server, where: string, begin: (ready: () => void) => void) => {
    server.keepAliveTimeout = KEEP_ALIVE;
    server.headersTimeout = HEADERS_TIMEOUT;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', (cause) => {
      reject(errors.make('MACHINE_LISTEN_FAILED', { where, reason: cause.message }, { cause }));
    });
    begin(resolve);
    await promise;
    servers.push(server);
  };
  const close = async () => {
    await Promise.all(servers.map(closeServer));
    rmSync(socket, { force: true });
  };

  let tls: TlsServer | undefined;
  try {
    const local = createServer(handle);
    const umask = process.umask(0o177);
    try {
      await open(local, socket, (ready) => local.listen(socket, ready));
    } finally {
      process.umask(umask);
    }
    chmodSync(socket, 0o600);
    if (listen !== 'none') {
      if (usesTls(options)) tls = createMutualTls(options, handle);
      const server = tls ?? createServer(handle);
      await open(server, `${listen} port ${port}`, (ready) => server.listen(port, listen, ready));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const reload = () => tls?.setSecureContext(credentials(options));
  return { reload, close };
}

/** RFC 8446 §4.3.2: who shows no certificate of ours gets no further than the handshake. */
function createMutualTls(options: MachineOptions, handle: RequestListener): TlsServer {
  return createTlsServer({ ...credentials(options), requestCert: true, rejectUnauthorized: true }, handle);
}

/** What the files hold, which has been tried. Throws MACHINE_TLS_UNUSABLE. */
export function credentials({ tls_certificate, tls_key, tls_client_ca }: MachineOptions): SecureContextOptions {
  try {
    const [cert, key, ca] = [tls_certificate, tls_key, tls_client_ca].map((path) => readFileSync(path ?? ''));
    const options = { cert, key, ca, minVersion: 'TLSv1.2' } as const;
    createSecureContext(options);
    return options;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw errors.make('MACHINE_TLS_UNUSABLE', { reason }, { cause });
  }
}

async function closeServer(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  // Those who listen for events never end by themselves.
  const patience = setTimeout(() => server.closeAllConnections(), 2_000);
  await promise;
  clearTimeout(patience);
}
