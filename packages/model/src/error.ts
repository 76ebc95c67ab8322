/**
 * What went wrong, who can mend it, and how.
 *
 * Every package declares its errors once, in a catalogue made with {@link defineErrors}; the reference page
 * `docs/reference/errors.md` is generated from all catalogues. A code is never reused.
 */

/** Who brings it back to health: the same call again (`retry`), nobody (`terminal`), a person (`operator`). */
export type RetryClass = 'retry' | 'terminal' | 'operator';

/** How far the damage reaches. The smallest that fits decides what the lifecycle may do about it. */
export type BlastRadius = 'request' | 'appliance' | 'instance' | 'provider' | 'cluster';

export interface ErrorSpec {
  /** `{name}` placeholders are filled from the error's parameters. */
  readonly message: string;
  readonly remedy: string;
  readonly retry: RetryClass;
  readonly radius: BlastRadius;
  /** HTTP status when the error crosses an API of ours. */
  readonly status?: number;
}

export type ErrorParams = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The one shape of an error on the wire. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly retry: RetryClass;
    /** Path of the offending field, as a JSON pointer, when the input was at fault. */
    readonly field?: string;
  };
}

export class AstaraError extends Error {
  override readonly name = 'AstaraError';
  readonly code: string;
  readonly remedy: string;
  readonly retry: RetryClass;
  readonly radius: BlastRadius;
  readonly status: number;
  readonly field: string | undefined;

  constructor(
    code: string,
    spec: ErrorSpec,
    params: ErrorParams = {},
    options: { cause?: unknown; field?: string } = {},
  ) {
    super(fill(spec.message, params), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = fill(spec.remedy, params);
    this.retry = spec.retry;
    this.radius = spec.radius;
    this.status = spec.status ?? 500;
    this.field = options.field;
  }

  toBody(): ErrorBody {
    const { code, message, remedy, retry, field } = this;
    return { error: { code, message, remedy, retry, ...(field === undefined ? {} : { field }) } };
  }
}

/** The error a peer of ours answered with, as an error again. */
export function fromBody(body: ErrorBody, status: number): AstaraError {
  const { code, message, remedy, retry, field } = body.error;
  const spec: ErrorSpec = { message: '{text}', remedy: '{remedy}', retry, radius: 'appliance', status };
  return new AstaraError(code, spec, { text: message, remedy }, field === undefined ? {} : { field });
}

export type ErrorCatalogue<Code extends string> = Readonly<Record<Code, ErrorSpec>> & {
  /** Makes the error `code`; parameters fill the `{placeholders}` of its message and remedy. */
  readonly make: (code: Code, params?: ErrorParams, options?: { cause?: unknown; field?: string }) => AstaraError;
};

export function defineErrors<Code extends string>(specs: Readonly<Record<Code, ErrorSpec>>): ErrorCatalogue<Code> {
  return Object.freeze({
    ...specs,
    make: (code: Code, params?: ErrorParams, options?: { cause?: unknown; field?: string }) =>
      new AstaraError(code, specs[code], params, options),
  });
}

function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, key: string) =>
    key in params ? String(params[key]) : placeholder,
  );
}
