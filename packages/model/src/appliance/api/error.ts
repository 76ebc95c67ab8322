import Type from 'typebox';

const closed = { additionalProperties: false } as const;

export const FieldError = Type.Object(
  {
    field: Type.String({ description: 'JSON pointer (RFC 6901); `?name` for a parameter of the query' }),
    message: Type.String(),
  },
  closed,
);

/** The one shape of a refusal: `ErrorBody`, with the list of everything that is wrong when it was a configuration. */
export const ErrorAnswer = Type.Object(
  {
    error: Type.Object(
      {
        code: Type.String({ description: 'docs/reference/errors.md' }),
        message: Type.String(),
        remedy: Type.String(),
        retry: Type.Enum(['retry', 'terminal', 'operator']),
        field: Type.Optional(Type.String()),
      },
      closed,
    ),
    errors: Type.Optional(Type.Array(FieldError, { maxItems: 100 })),
  },
  closed,
);
export type ErrorAnswer = Type.Static<typeof ErrorAnswer>;
