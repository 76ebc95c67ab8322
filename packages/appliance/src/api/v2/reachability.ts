import type { StatusAnswer } from '@astara/model/appliance/api/status.ts';
import type { Appliance } from '../../appliance.ts';
import { probeOutside } from '../../services/probe/probe.ts';

/** How long an answer may take. ms */
const TIMEOUT = 1_000;

/** Whether the outside answers now. */
export function reachability(appliance: Appliance): Promise<NonNullable<StatusAnswer['reachability']>> {
  return probeOutside(appliance.home.netns, appliance.config(), AbortSignal.timeout(TIMEOUT));
}
