import Type from 'typebox';

/** Where requests to 169.254.169.254 go, and how many are taken: part of `ApplianceConfig`. */
export const Metadata = Type.Object(
  {
    endpoint: Type.String({
      pattern: '^(unix:/[\\w./-]{1,100}|http://[\\w.:\\[\\]-]{1,100})$',
      description: "A socket or an address that adds Nova's signature",
    }),
    /** Seconds for which an instance is given the same answer again; 0: never. Default 15, as long as Nova keeps it. */
    cache_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 300 })),
    /** Of one instance, in the long run; a hundred may come at once. Default 50. */
    requests_per_second: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  { additionalProperties: false },
);
export type Metadata = Type.Static<typeof Metadata>;
