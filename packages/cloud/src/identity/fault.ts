const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
};

/** An answer that says no, as Keystone words it: `{"error": {"code", "message", "title"}}`. */
export class IdentityFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'IdentityFault';
    this.status = status;
  }

  body(): Record<string, unknown> {
    return { error: { code: this.status, message: this.message, title: titles[this.status] ?? '' } };
  }
}

const blame =
  'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.';

export const badBody = (message: string) => new IdentityFault(400, `${message} ${blame}`);
export const unauthorized = () => new IdentityFault(401, 'The request you have made requires authentication.');
export const forbidden = (action: string) =>
  new IdentityFault(403, `You are not authorized to perform the requested action: ${action}.`);
export const notFound = (what: string, id: string) => new IdentityFault(404, `Could not find ${what}: ${id}.`);
export const conflict = (what: string, reason: string) =>
  new IdentityFault(409, `Conflict occurred attempting to store ${what} - ${reason}.`);
