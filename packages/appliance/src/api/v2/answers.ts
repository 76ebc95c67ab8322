import type { CommitAnswer, PlanAnswer, PlannedChange } from '@astara/model/appliance/api/commit.ts';
import { ApplianceConfig } from '@astara/model/appliance/config.ts';
import { masked } from '@astara/model/appliance/secret.ts';
import type { FastifyReply } from 'fastify';
import type { Appliance, ApplyReport, DryRun } from '../../appliance.ts';
import type { Step } from '../../apply/plan.ts';

/** Lines that a planned step tells of itself, at most. */
const MAX_DETAIL = 1_000;

/** A configuration as answers show it. */
export function shown(config: ApplianceConfig): ApplianceConfig {
  return masked(ApplianceConfig, config);
}

/** Headers that tell what is in force. */
export function tag(reply: FastifyReply, { applied }: Appliance): void {
  if (applied === null) return;
  reply.header('etag', `"${applied.etag}"`);
  reply.header('astara-generation', applied.generation);
}

/** What a commit has done; `prefer`: the header (RFC 7240). */
export function committed(
  appliance: Appliance,
  report: ApplyReport,
  prefer: string | string[] | undefined,
  reply: FastifyReply,
): CommitAnswer {
  tag(reply, appliance);
  reply.header('server-timing', `apply;dur=${report.ms}`);
  reply.header('astara-steps', report.steps.length);
  const { generation, etag, ms, steps, warnings, checks } = report;
  const { pending } = appliance;
  const config = appliance.config();
  const whole = /\breturn=representation\b/.test(String(prefer ?? '')) && config !== undefined;
  if (whole) reply.header('preference-applied', 'return=representation');
  return {
    generation,
    etag,
    ms,
    changes: [...steps],
    warnings: [...warnings],
    ...(checks === undefined ? {} : { checks: [...checks] }),
    ...(pending?.etag === etag ? { pending } : {}),
    ...(whole ? { configuration: shown(config) } : {}),
  };
}

export function planned({ generation = 0 }: ApplianceConfig, { etag, steps, warnings }: DryRun): PlanAnswer {
  return { generation, etag, plan: steps.map(plannedChange), warnings: [...warnings] };
}

export function plannedChange({ service, phase, what, detail }: Step): PlannedChange {
  const lines = detail?.() ?? [];
  return { service, phase, what, ...(lines.length === 0 ? {} : { detail: lines.slice(0, MAX_DETAIL) }) };
}
