import { Phase } from './phase.ts';
import type { Fact, Situation } from './situation.ts';

/** What the reconciler can do about a resource. Each is idempotent. */
export const steps = {
  wait: 'nothing; something else will bring the resource back to the queue',
  'wait for cool-down':
    'nothing until the cool-down is over, then look again as if somebody had just changed something',
  'clear error': 'count failed boots from zero again',
  create: 'the provider makes the instance and plugs it; counts as a boot until a configuration is in force',
  replug: 'the provider gives the instance exactly the wanted interfaces; what it serves goes on',
  configure: 'the appliance gets the whole wanted configuration',
  destroy: 'the provider destroys the instance; nothing of it is left',
  'destroy surplus': 'the provider destroys the instance that is not the wanted one',
  settle: 'the driver reports that what is wanted is in force; failed boots are forgotten',
  forget: 'the driver reports that there is no instance any more; the resource is forgotten',
} as const;
export type Step = keyof typeof steps;

/** After these there is nothing to do now. All others are followed by another look. */
export const lastSteps: readonly Step[] = ['wait', 'wait for cool-down', 'settle', 'forget'];

export interface Row {
  /** Named in logs and in the API: why the resource is where it is. */
  readonly rule: string;
  /** Facts that are not named do not matter. */
  readonly when: { readonly [Name in Fact]?: readonly Situation[Name][] };
  readonly step: Step;
  /** From now on; undefined: as before. */
  readonly next: Phase | undefined;
}

/** The first row whose `when` holds decides. The last one holds always. */
export const table: readonly Row[] = [
  { rule: 'mirror not filled', when: { wanted: ['unknown'] }, step: 'wait', next: undefined },
  { rule: 'provider not seen', when: { instance: ['unknown'] }, step: 'wait', next: undefined },

  { rule: 'not wanted, none left', when: { wanted: ['absent'], instance: ['none'] }, step: 'forget', next: Phase.GONE },
  { rule: 'not wanted', when: { wanted: ['absent'] }, step: 'destroy', next: Phase.GONE },

  { rule: 'second instance', when: { surplus: ['some'] }, step: 'destroy surplus', next: undefined },

  {
    rule: 'boots exhausted, changed, too early',
    when: {
      instance: ['none', 'dead'],
      boots: ['exhausted'],
      rebuild: ['no'],
      cause: ['update'],
      cooldown: ['running'],
    },
    step: 'wait for cool-down',
    next: Phase.ERROR,
  },
  {
    rule: 'boots exhausted, changed',
    when: { instance: ['none', 'dead'], boots: ['exhausted'], rebuild: ['no'], cause: ['update'] },
    step: 'clear error',
    next: Phase.DOWN,
  },
  {
    rule: 'boots exhausted, too early',
    when: { instance: ['none', 'dead'], boots: ['exhausted'], rebuild: ['no'], cooldown: ['running'] },
    step: 'wait',
    next: Phase.ERROR,
  },
  {
    // A resync after the cool-down goes on below: one attempt, so that nobody has to act once the cause is mended.
    rule: 'boots exhausted',
    when: { instance: ['none', 'dead'], boots: ['exhausted'], rebuild: ['no'], cause: ['poll'] },
    step: 'wait',
    next: Phase.ERROR,
  },

  {
    rule: 'dead, and many others too',
    when: { instance: ['dead'], breaker: ['open'], rebuild: ['no'] },
    step: 'wait',
    next: Phase.DOWN,
  },
  { rule: 'dead', when: { instance: ['dead'] }, step: 'destroy', next: Phase.DOWN },
  { rule: 'rebuild asked', when: { instance: ['running'], rebuild: ['asked'] }, step: 'destroy', next: Phase.RESTART },
  { rule: 'no instance', when: { instance: ['none'] }, step: 'create', next: Phase.BOOTING },

  { rule: 'interfaces differ', when: { ports: ['differ'] }, step: 'replug', next: Phase.REPLUG },
  { rule: 'never configured', when: { config: ['none'] }, step: 'configure', next: Phase.UP },
  { rule: 'configuration differs', when: { config: ['differs'] }, step: 'configure', next: Phase.CONFIGURED },
  { rule: 'service down', when: { services: ['down'] }, step: 'settle', next: Phase.DEGRADED },
  { rule: 'as wanted', when: {}, step: 'settle', next: Phase.CONFIGURED },
];
