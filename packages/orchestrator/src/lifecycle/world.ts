import { decide } from './decide.ts';
import type { Phase } from './phase.ts';
import type { Situation } from './situation.ts';
import { lastSteps, type Step } from './table.ts';

/** What a step changes in a world where everything works. For the diagram and the tests. */
export function effect(step: Step, situation: Situation): Situation {
  switch (step) {
    case 'create':
      return { ...situation, instance: 'running', ports: 'same', config: 'none', services: 'running', rebuild: 'no' };
    case 'replug':
      return { ...situation, ports: 'same' };
    case 'configure':
      return { ...situation, config: 'same' };
    case 'destroy':
      return {
        ...situation,
        instance: 'none',
        ports: 'same',
        config: 'none',
        services: 'running',
        rebuild: 'no',
        // Asking for a rebuild forgets the failed boots.
        boots: situation.rebuild === 'asked' ? 'left' : situation.boots,
      };
    case 'destroy surplus':
      return { ...situation, surplus: 'none' };
    case 'clear error':
    case 'settle':
      return { ...situation, boots: 'left' };
    case 'wait for cool-down':
    case 'wait':
    case 'forget':
      return situation;
  }
}

export interface Move {
  readonly from: Phase;
  readonly rule: string;
  readonly step: Step;
  readonly to: Phase;
  readonly before: Situation;
}

/** Decides and does, until there is nothing to do now or `limit` steps are done. */
export function follow(phase: Phase, situation: Situation, limit: number): Move[] {
  const moves: Move[] = [];
  for (let from = phase, now = situation; moves.length < limit; ) {
    const { rule, step, phase: to } = decide(from, now);
    moves.push({ from, rule, step, to, before: now });
    if (lastSteps.includes(step)) break;
    from = to;
    now = effect(step, now);
  }
  return moves;
}
