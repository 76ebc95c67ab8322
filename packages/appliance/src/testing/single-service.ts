import { Applier } from '../apply/applier.ts';
import type { AnyService } from '../apply/state.ts';
import { silent } from '../log.ts';
import { Supervisor } from '../supervisor.ts';
import type { World } from './world.ts';

/** Applies configurations as far as one service is concerned; no firewall is in the way. */
export async function adoptWith(
  world: World,
  service: AnyService,
): Promise<{ readonly applier: Applier; readonly close: () => Promise<void> }> {
  const supervisor = new Supervisor();
  const applier = new Applier({
    home: world.home,
    services: [service],
    log: silent,
    context: () => ({ home: world.home, supervisor, log: silent, revive: () => undefined, emit: () => undefined }),
  });
  await applier.adopt(undefined);
  const close = async () => {
    await applier.release();
    supervisor.close();
  };
  return { applier, close };
}
