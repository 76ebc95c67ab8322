import type { PlannedStep, Service } from '../service.ts';
import { desiredIdentity } from './desired.ts';
import { renderIdentity } from './render.ts';
import { type IdentityChange, IdentityRunner, type IdentityState, sameFile } from './runner.ts';

/** What a configuration no longer speaks of stays as it is. */
export const identityService: Service<IdentityState, IdentityChange, IdentityRunner> = {
  name: 'identity',
  reads: ['hostname', 'identity'],
  compile: (config) => renderIdentity(desiredIdentity(config)),
  plan(found, after): readonly PlannedStep<IdentityChange>[] {
    const before: IdentityState = found.unknown ? new Map() : found.value;
    const change = [...after].filter(([path, state]) => !sameFile(before.get(path), state));
    if (change.length === 0) return [];
    const undo = change.flatMap(([path]) => {
      const state = before.get(path);
      return state === undefined ? [] : [[path, state] as const];
    });
    const paths = change.map(([path]) => path);
    return [{ phase: 'serve', what: paths.join(', '), change, undo, detail: () => paths }];
  },
  open: (context) => new IdentityRunner(context),
};
