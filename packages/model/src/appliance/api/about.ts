import Type from 'typebox';

const closed = { additionalProperties: false } as const;

/** What the API can do beyond a PUT; named so that a client can ask before it relies on one. */
export const capabilities = [
  'dry-run',
  'candidate',
  'confirmed-commit',
  'history',
  'rollback',
  'self-check',
  'events',
  'metrics',
] as const;

export const About = Type.Object(
  {
    name: Type.Literal('astara-appliance'),
    version: Type.String(),
    api: Type.Array(Type.Enum(['v1', 'v2'])),
    capabilities: Type.Array(Type.Enum(capabilities)),
    services: Type.Array(Type.String()),
    limits: Type.Object(
      {
        body_bytes: Type.Integer(),
        /** Arrays and objects within each other. */
        body_depth: Type.Integer(),
      },
      closed,
    ),
  },
  closed,
);
export type About = Type.Static<typeof About>;
