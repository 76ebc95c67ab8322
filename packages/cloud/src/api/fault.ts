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

/** Neutron's way of saying that an attribute is not right. */
export function invalidInput(attribute: string, reason: string): Fault {
  return new Fault(400, 'InvalidInput', `Invalid input for operation: ${attribute}: ${reason}.`);
}
