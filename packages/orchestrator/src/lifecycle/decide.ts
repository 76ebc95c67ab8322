import type { Phase } from './phase.ts';
import type { Fact, Situation } from './situation.ts';
import { type Row, type Step, table } from './table.ts';

export interface Decision {
  readonly rule: string;
  readonly step: Step;
  readonly phase: Phase;
}

/** The next step. Pure, and total: the table's last row always holds. */
export function decide(phase: Phase, situation: Situation): Decision {
  const row = table.find(({ when }) => holds(when, situation));
  if (row === undefined) throw new Error('the last row of the lifecycle table must hold always');
  return { rule: row.rule, step: row.step, phase: row.next ?? phase };
}

function holds(when: Row['when'], situation: Situation): boolean {
  for (const [fact, values] of Object.entries(when) as [Fact, readonly string[]][]) {
    if (!values.includes(situation[fact])) return false;
  }
  return true;
}
