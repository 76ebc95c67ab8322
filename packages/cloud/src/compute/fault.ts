import { Fault } from '../api/fault.ts';

/** Names of Nova's bodies, by status; all others are `computeFault`. */
const KEYS: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  409: 'conflictingRequest',
  413: 'overLimit',
};

/** An answer that says no, as Nova words it: `{"itemNotFound": {"code": 404, "message": …}}`. */
export class NovaFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'NovaFault';
    this.status = status;
  }

  body(): Record<string, unknown> {
    return { [KEYS[this.status] ?? 'computeFault']: { code: this.status, message: this.message } };
  }
}

/** What Neutron refuses while a server is made, Nova passes on in its own form. */
export function fromNeutron(error: unknown): unknown {
  if (!(error instanceof Fault)) return error;
  return new NovaFault(error.status === 404 ? 400 : error.status, error.message);
}

export const badRequest = (message: string) => new NovaFault(400, message);
export const noServer = (id: string) => new NovaFault(404, `Instance ${id} could not be found.`);
export const noFlavor = (id: string) => new NovaFault(404, `Flavor ${id} could not be found.`);
export const noKeypair = (name: string) => new NovaFault(404, `Keypair ${name} not found for user`);
