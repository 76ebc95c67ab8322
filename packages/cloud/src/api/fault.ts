/**
 * An answer that says no, as Neutron words it: `{"NeutronError": {"type", "message", "detail"}}` with the HTTP status.
 * `type` is the name of Neutron's exception class, which clients look at.
 */
export class Fault extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.name = 'Fault';
    this.status = status;
    this.type = type;
  }
}

/** What does not even fit the attribute map. */
export function badRequest(message: string): Fault {
  return new Fault(400, 'HTTPBadRequest', message);
}

/** A value that is no value of the attribute. */
export function invalidAttribute(attribute: string, reason: string): Fault {
  return badRequest(`Invalid input for ${attribute}. Reason: ${reason}.`);
}

/** What cannot be done with values that are each right by themselves. */
export function invalidInput(reason: string): Fault {
  return new Fault(400, 'InvalidInput', `Invalid input for operation: ${reason}.`);
}

export function notAuthorized(rules: string): Fault {
  return new Fault(403, 'PolicyNotAuthorized', `${rules} is disallowed by policy`);
}
