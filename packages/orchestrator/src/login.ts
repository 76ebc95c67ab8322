import { findCloud } from '@astara/openstack/find-cloud.ts';
import { Session } from '@astara/openstack/session.ts';
import type { OrchestratorConfig } from './options.ts';

/** Milliseconds. Whoever starts us is waiting for an answer. */
const PATIENCE = 10_000;

/**
 * Logs in to Keystone and finds Neutron in its catalog, before anything else is done: what is wrong with the credentials is said at
 * once and not by the first call that needs them.
 */
export async function checkLogin(keystone: OrchestratorConfig['keystone']): Promise<void> {
  const session = new Session(findCloud(keystone), { timeout: PATIENCE });
  try {
    await session.endpoint('network', AbortSignal.timeout(PATIENCE));
  } finally {
    await session.close();
  }
}
