import type { IncomingHttpHeaders } from 'node:http';
import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { configEtag } from '@astara/model/appliance/etag.ts';
import { validateConfig } from '@astara/model/appliance/rules.ts';
import type { Appliance, ApplyOptions } from '../../appliance.ts';
import { errors } from '../../errors.ts';
import { InvalidConfigError } from '../error-answer.ts';
import type { Serve } from '../serve.ts';
import { committed, planned, shown, tag } from './answers.ts';
import { ifMatch } from './precondition.ts';

/** The configuration in force, and the one to come. */
export function configRoutes(serve: Serve): void {
  serve(v2.readConfig, ({ appliance }, reply) => {
    tag(reply, appliance);
    const config = appliance.config();
    return {
      applied: appliance.revision ?? null,
      pending: appliance.pending ?? null,
      configuration: config === undefined ? null : shown(config),
    };
  });

  serve(v2.writeConfig, async ({ appliance, query, headers, body }, reply) => {
    const { dry_run = false, stage = false } = query;
    const { confirm } = query;
    if ([dry_run, stage, confirm !== undefined].filter(Boolean).length > 1) {
      throw errors.make('APPLIANCE_PARAMETER_REFUSED', {
        name: dry_run ? 'dry_run' : 'stage',
        reason: 'of dry_run, stage and confirm there can be one',
      });
    }
    const validated = validateConfig(body);
    if (!validated.ok) throw new InvalidConfigError(validated.errors);
    const config = validated.value;
    const options = commitOptions(appliance, query, headers);
    if (!dry_run && !stage) return committed(appliance, await appliance.apply(config, options), headers.prefer, reply);
    const plan = await appliance.plan(config, options);
    if (stage) appliance.stage(config);
    return planned(config, plan);
  });

  serve(v2.readCandidate, async ({ appliance }) => {
    const config = candidate(appliance);
    const { generation = 0 } = config;
    return { candidate: { generation, etag: configEtag(config) }, configuration: shown(config) };
  });

  serve(v2.discardCandidate, ({ appliance }) => {
    appliance.stage(undefined);
    return {};
  });

  serve(v2.commit, async ({ appliance, query, headers }, reply) => {
    const config = candidate(appliance);
    const report = await appliance.apply(config, commitOptions(appliance, query, headers));
    if (appliance.candidate === config) appliance.stage(undefined);
    return committed(appliance, report, headers.prefer, reply);
  });

  serve(v2.confirm, async ({ appliance }) => {
    await appliance.confirm();
    const { revision } = appliance;
    if (revision === undefined) throw errors.make('APPLIANCE_NOTHING_PENDING');
    return { applied: revision };
  });

  serve(v2.cancel, async ({ appliance }) => {
    const report = await appliance.cancel();
    return { applied: appliance.revision ?? null, changes: [...(report?.steps ?? [])] };
  });
}

/** What the query and the headers of a commit ask for. */
export function commitOptions(
  appliance: Appliance,
  { confirm, check = true }: { readonly confirm?: number; readonly check?: boolean },
  headers: IncomingHttpHeaders,
): ApplyOptions {
  return {
    ...ifMatch(headers['if-match'], appliance.applied?.etag),
    ...(confirm === undefined ? {} : { confirmWithin: confirm * 1_000 }),
    check,
  };
}

function candidate({ candidate }: Appliance) {
  if (candidate === undefined) throw errors.make('APPLIANCE_NOT_FOUND', { what: 'candidate' });
  return candidate;
}
