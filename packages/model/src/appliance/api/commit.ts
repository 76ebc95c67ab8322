import Type from 'typebox';
import { ApplianceConfig } from '../config.ts';

/** Answers about configurations: in force, to come, gone by. */

const closed = { additionalProperties: false } as const;

export const Etag = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'what a configuration says, as a digest' });
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

export const Applied = Type.Object({ generation: Type.Integer({ minimum: 0 }), etag: Etag }, closed);

/** A configuration that is or was in force. */
export const Revision = Type.Object({ ...Applied.properties, applied_at: Time }, closed);
export type Revision = Type.Static<typeof Revision>;

/** RFC 6241 §8.4: what is in force is given up again, unless `POST /v2/config/confirm` comes before `confirm_by`. */
export const Pending = Type.Object(
  { etag: Etag, confirm_by: Time, previous: Type.Union([Revision, Type.Null()]) },
  closed,
);

/** Something that was looked at after a commit, from outside where that is possible. */
export const CheckResult = Type.Object(
  {
    service: Type.String(),
    name: Type.String(),
    ok: Type.Boolean(),
    detail: Type.Optional(Type.String()),
  },
  closed,
);
export type CheckResult = Type.Static<typeof CheckResult>;

export const ChecksAnswer = Type.Object({ checks: Type.Array(CheckResult) }, closed);

export const Change = Type.Object(
  { service: Type.String(), what: Type.String(), ms: Type.Number({ description: 'milliseconds' }) },
  closed,
);

/** What a commit has done. */
export const CommitAnswer = Type.Object(
  {
    ...Applied.properties,
    /** Milliseconds, waiting for an earlier one left out. */
    ms: Type.Number(),
    /** Empty when everything was in force already. */
    changes: Type.Array(Change),
    /** What was left out because it cannot be had, such as a route through nowhere. */
    warnings: Type.Array(Type.String()),
    /** With `check`, the default. */
    checks: Type.Optional(Type.Array(CheckResult)),
    /** With `confirm`. */
    pending: Type.Optional(Pending),
    /** With `Prefer: return=representation` (RFC 7240). Secrets are masked. */
    configuration: Type.Optional(ApplianceConfig),
  },
  closed,
);
export type CommitAnswer = Type.Static<typeof CommitAnswer>;

export const PlannedChange = Type.Object(
  {
    service: Type.String(),
    /** Those of `build` are made first, then the firewall switches, then what goes is removed, then daemons follow. */
    phase: Type.Enum(['build', 'switch', 'remove', 'serve']),
    what: Type.String(),
    detail: Type.Optional(Type.Array(Type.String(), { description: 'line by line; the first 1000' })),
  },
  closed,
);
export type PlannedChange = Type.Static<typeof PlannedChange>;

/** What a commit would do. */
export const PlanAnswer = Type.Object(
  { ...Applied.properties, plan: Type.Array(PlannedChange), warnings: Type.Array(Type.String()) },
  closed,
);
export type PlanAnswer = Type.Static<typeof PlanAnswer>;

export const ConfigAnswer = Type.Object(
  {
    applied: Type.Union([Revision, Type.Null()]),
    pending: Type.Union([Pending, Type.Null()]),
    configuration: Type.Union([ApplianceConfig, Type.Null()]),
  },
  closed,
);
export type ConfigAnswer = Type.Static<typeof ConfigAnswer>;

export const CandidateAnswer = Type.Object({ candidate: Applied, configuration: ApplianceConfig }, closed);
export const RevisionAnswer = Type.Object({ revision: Revision, configuration: ApplianceConfig }, closed);
export const HistoryAnswer = Type.Object(
  { applied: Type.Union([Revision, Type.Null()]), history: Type.Array(Revision) },
  closed,
);

export const ConfirmAnswer = Type.Object({ applied: Revision }, closed);
/** `applied`: what is in force again; null: nothing was before. */
export const CancelAnswer = Type.Object(
  { applied: Type.Union([Revision, Type.Null()]), changes: Type.Array(Change) },
  closed,
);

export const RollbackRequest = Type.Object(
  { etag: Type.Optional(Type.String({ ...Etag, description: 'of the history; default: the latest one' })) },
  closed,
);
