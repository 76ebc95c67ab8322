import Type from 'typebox';
import { ApplianceConfig } from '../config.ts';
import { About } from './about.ts';
import {
  CancelAnswer,
  CandidateAnswer,
  ChecksAnswer,
  CommitAnswer,
  ConfigAnswer,
  ConfirmAnswer,
  Etag,
  HistoryAnswer,
  PlanAnswer,
  RevisionAnswer,
  RollbackRequest,
} from './commit.ts';
import type { Operation } from './operation.ts';
import { LeasesAnswer, StatsAnswer } from './stats.ts';
import { RepairAnswer, StatusAnswer } from './status.ts';

const ifMatch = {
  'If-Match': 'The ETag of the configuration that must be in force, or `*` for any (RFC 9110 §13.1.1). Otherwise: 412.',
} as const;
const prefer = { Prefer: '`return=representation`: the answer holds the configuration (RFC 7240).' } as const;

/** How a commit is done. */
const commit = {
  confirm: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 86_400, description: 'Seconds until it is given up again, unless confirmed.' }),
  ),
  check: Type.Optional(
    Type.Boolean({
      description:
        'Whether the appliance checks itself before it answers. Default true; otherwise it does so a second or two later.',
    }),
  ),
} as const;

export const v2 = {
  about: {
    id: 'about',
    method: 'GET',
    path: '/v2/',
    tag: 'about',
    summary: 'What this appliance is and can do',
    answer: { description: 'version, capabilities, services', schema: About },
  },
  openapi: {
    id: 'openapi',
    method: 'GET',
    path: '/v2/openapi.json',
    tag: 'about',
    summary: 'This document',
    answer: { description: 'OpenAPI 3.1', schema: Type.Record(Type.String(), Type.Unknown()) },
  },
  readConfig: {
    id: 'readConfig',
    method: 'GET',
    path: '/v2/config',
    tag: 'configuration',
    summary: 'The configuration in force',
    answer: { description: 'with its ETag as a header; secrets are masked', schema: ConfigAnswer },
  },
  writeConfig: {
    id: 'writeConfig',
    method: 'PUT',
    path: '/v2/config',
    tag: 'configuration',
    summary: 'Puts a configuration in force, as a whole or not at all',
    description:
      'Only what differs from what is in force is touched. When a step fails everything is undone, and the configuration before is in force.',
    query: {
      dry_run: Type.Optional(Type.Boolean({ description: 'Answers what would be done, and does nothing.' })),
      stage: Type.Optional(Type.Boolean({ description: 'Keeps it as the candidate, to be committed later.' })),
      ...commit,
    },
    headers: { ...ifMatch, ...prefer },
    body: { schema: ApplianceConfig, required: true },
    answer: {
      description: 'it is in force; with `dry_run` or `stage`: the plan',
      schema: Type.Union([CommitAnswer, PlanAnswer]),
    },
    refusals: [409, 412, 413, 415, 422],
  },
  readCandidate: {
    id: 'readCandidate',
    method: 'GET',
    path: '/v2/config/candidate',
    tag: 'configuration',
    summary: 'The configuration that was put aside',
    answer: { description: 'secrets are masked', schema: CandidateAnswer },
    refusals: [404],
  },
  discardCandidate: {
    id: 'discardCandidate',
    method: 'DELETE',
    path: '/v2/config/candidate',
    tag: 'configuration',
    summary: 'Forgets it',
    answer: { description: 'there is none now', schema: Type.Object({}, { additionalProperties: false }) },
  },
  commit: {
    id: 'commitCandidate',
    method: 'POST',
    path: '/v2/config/commit',
    tag: 'configuration',
    summary: 'Puts the candidate in force',
    query: commit,
    headers: { ...ifMatch, ...prefer },
    answer: { description: 'it is in force, and there is no candidate any more', schema: CommitAnswer },
    refusals: [404, 409, 412],
  },
  confirm: {
    id: 'confirm',
    method: 'POST',
    path: '/v2/config/confirm',
    tag: 'configuration',
    summary: 'What is in force stays',
    answer: { description: 'nothing is pending any more', schema: ConfirmAnswer },
    refusals: [409],
  },
  cancel: {
    id: 'cancel',
    method: 'POST',
    path: '/v2/config/cancel',
    tag: 'configuration',
    summary: 'What is in force and not confirmed is given up now',
    answer: { description: 'the configuration before it is in force', schema: CancelAnswer },
    refusals: [409],
  },
  history: {
    id: 'history',
    method: 'GET',
    path: '/v2/config/history',
    tag: 'configuration',
    summary: 'Configurations that were in force before',
    answer: { description: 'the latest first', schema: HistoryAnswer },
  },
  revision: {
    id: 'readRevision',
    method: 'GET',
    path: '/v2/config/history/{etag}',
    tag: 'configuration',
    summary: 'One that is or was in force',
    params: { etag: Etag },
    answer: { description: 'secrets are masked', schema: RevisionAnswer },
    refusals: [404],
  },
  rollback: {
    id: 'rollback',
    method: 'POST',
    path: '/v2/config/rollback',
    tag: 'configuration',
    summary: 'An earlier configuration is in force again, under the present generation',
    query: commit,
    headers: { ...ifMatch, ...prefer },
    body: { schema: RollbackRequest, required: false },
    answer: { description: 'it is in force', schema: CommitAnswer },
    refusals: [404, 412, 415],
  },
  status: {
    id: 'status',
    method: 'GET',
    path: '/v2/status',
    tag: 'state',
    summary: 'How it is',
    query: {
      reachability: Type.Optional(Type.Boolean({ description: 'Whether to probe the outside. Default true.' })),
      drift: Type.Optional(Type.Boolean({ description: 'Whether to compare with the kernel. Default true.' })),
    },
    answer: { description: 'services, interfaces, what is reached, what was changed by hand', schema: StatusAnswer },
  },
  check: {
    id: 'check',
    method: 'POST',
    path: '/v2/check',
    tag: 'state',
    summary: 'The appliance looks at itself as its clients do',
    answer: { description: 'also when a check has failed', schema: ChecksAnswer },
  },
  repair: {
    id: 'repair',
    method: 'POST',
    path: '/v2/repair',
    tag: 'state',
    summary: 'Mends what somebody has changed by hand; the appliance does so by itself every minute',
    answer: { description: 'what was mended', schema: RepairAnswer },
  },
  stats: {
    id: 'stats',
    method: 'GET',
    path: '/v2/stats',
    tag: 'observation',
    summary: 'Counters',
    answer: { description: 'of interfaces, labels, floating IPs, and of tracked connections', schema: StatsAnswer },
  },
  leases: {
    id: 'leases',
    method: 'GET',
    path: '/v2/leases',
    tag: 'observation',
    summary: 'Who has which address from DHCP',
    answer: { description: 'of both IP versions', schema: LeasesAnswer },
  },
  events: {
    id: 'events',
    method: 'GET',
    path: '/v2/events',
    tag: 'observation',
    summary: 'What happens, as it happens',
    description:
      'Server-sent events (WHATWG HTML §9.2). An event `gap` tells that events were missed: read the state again. A comment is sent when nothing happens, so that both ends see that the other is there.',
    headers: { 'Last-Event-ID': 'Go on after this event.' },
    answer: { description: 'does not end', media: 'text/event-stream' },
    refusals: [503],
  },
  metrics: {
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    tag: 'observation',
    summary: 'Counters and gauges for Prometheus',
    query: {
      floating_ips: Type.Optional(
        Type.Boolean({ description: 'Also of each floating IP. Default false: there may be many.' }),
      ),
    },
    answer: { description: 'docs/reference/appliance-metrics.md', media: 'text/plain' },
  },
} as const satisfies Record<string, Operation>;
