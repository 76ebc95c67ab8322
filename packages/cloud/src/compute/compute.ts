import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Requests } from '../api/requests.ts';
import type { Authenticate } from '../api/server.ts';
import { serveGlance } from './api/glance.ts';
import { serveNova } from './api/nova.ts';
import type { ExecOptions, ExecResult, Hypervisor } from './hypervisor.ts';
import { MetadataService } from './metadata/service.ts';
import { Power } from './power.ts';
import { Servers } from './servers.ts';

export interface ComputeOptions {
  readonly requests: Requests;
  readonly authenticate: Authenticate;
  readonly log: Logger;
  readonly hypervisor: Hypervisor;
  /** Where servers run: the host of their ports. */
  readonly host: string;
  /** Milliseconds for a new server's ports to become ACTIVE; default 300 000. */
  readonly plugTimeout?: number;
  /** Absent: no metadata service. */
  readonly metadata?: { readonly host: string; readonly port: number; readonly sharedSecret: string };
}

/** Nova, as much of it as the cloud needs: servers, their machines, their metadata; and the list of images. */
export class Compute {
  readonly #options: ComputeOptions;
  readonly #servers: Servers;
  readonly #power: Power;
  readonly #metadata: MetadataService | undefined;

  constructor(options: ComputeOptions) {
    const { requests, log, hypervisor, host, metadata, plugTimeout } = options;
    this.#options = options;
    this.#servers = new Servers(host);
    this.#power = new Power({ requests, hypervisor, log, ...(plugTimeout === undefined ? {} : { plugTimeout }) });
    this.#metadata = metadata && new MetadataService({ ...metadata, store: requests.store, log });
  }

  /** Adds `/compute/v2.1/…` and `/image/v2/…`. */
  serve(app: FastifyInstance): void {
    const { requests, authenticate, log, hypervisor, host } = this.#options;
    const served = { requests, authenticate, log };
    serveNova(app, { ...served, servers: this.#servers, hypervisor, host });
    serveGlance(app, served);
  }

  /** Resolves with the URL of the metadata service, if there is one, when servers of an earlier run are adopted or gone. */
  async start(): Promise<string | undefined> {
    await this.#power.start();
    return this.#metadata?.start();
  }

  /** Runs a program in a server's machine. */
  exec(serverId: string, argv: readonly string[], options?: ExecOptions): Promise<ExecResult> {
    return this.#options.hypervisor.exec(serverId, argv, options);
  }

  /** Resolves when every machine is what its server says. */
  idle(): Promise<void> {
    return this.#power.idle();
  }

  /** Machines stay, for the next to adopt. */
  async leave(): Promise<void> {
    await this.#metadata?.stop();
    await this.#power.leave();
  }

  /** Destroys all machines. */
  async stop(): Promise<void> {
    await this.#metadata?.stop();
    await this.#power.stop();
  }
}
