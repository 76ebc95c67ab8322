import { RollbackRequest } from '@astara/model/appliance/api/commit.ts';
import { v2 } from '@astara/model/appliance/api/operations-v2.ts';
import { validator } from '@astara/model/validate.ts';
import { errors } from '../../errors.ts';
import { InvalidConfigError } from '../error-answer.ts';
import type { Serve } from '../serve.ts';
import { committed, shown } from './answers.ts';
import { commitOptions } from './config-routes.ts';

const validRequest = validator(RollbackRequest);

/** Configurations that were in force before. */
export function historyRoutes(serve: Serve): void {
  serve(v2.history, ({ appliance }) => {
    return { applied: appliance.revision ?? null, history: [...appliance.history()] };
  });

  serve(v2.revision, ({ appliance, params: { etag } }) => {
    const { revision } = appliance;
    const found = revision?.etag === etag ? revision : appliance.history().find((entry) => entry.etag === etag);
    const config = found && appliance.find(etag);
    if (found === undefined || config === undefined) throw missing(etag);
    return { revision: found, configuration: shown(config) };
  });

  serve(v2.rollback, async ({ appliance, query, headers, body }, reply) => {
    const validated = validRequest(body ?? {});
    if (!validated.ok) throw new InvalidConfigError(validated.errors);
    const etag =
      validated.value.etag ?? appliance.history().find((entry) => entry.etag !== appliance.applied?.etag)?.etag;
    if (etag === undefined) throw missing('before this one');
    const report = await appliance.rollback(etag, commitOptions(appliance, query, headers));
    return committed(appliance, report, headers.prefer, reply);
  });
}

function missing(which: string) {
  return errors.make('APPLIANCE_NOT_FOUND', { what: `configuration ${which} in the history` });
}
