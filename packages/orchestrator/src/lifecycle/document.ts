import { readFileSync } from 'node:fs';
import { Phase } from './phase.ts';
import type { Situation } from './situation.ts';
import { type Row, steps, table } from './table.ts';
import { follow } from './world.ts';

const settled: Situation = {
  wanted: 'present',
  instance: 'running',
  surplus: 'none',
  ports: 'same',
  config: 'same',
  services: 'running',
  boots: 'left',
  cooldown: 'over',
  cause: 'update',
  rebuild: 'no',
  breaker: 'closed',
};
const nothing: Situation = { ...settled, instance: 'none', config: 'none' };
const failed: Situation = { ...nothing, boots: 'exhausted', cooldown: 'running', cause: 'poll' };

/** One thing happens to a resource in a settled phase; what the table makes of it is drawn. */
const happenings: readonly (readonly [Phase, Situation])[] = [
  [Phase.DOWN, nothing],
  [Phase.BOOTING, failed],
  [Phase.ERROR, { ...failed, cooldown: 'over', cause: 'update' }],
  [Phase.ERROR, { ...failed, cooldown: 'over', cause: 'resync' }],
  [Phase.ERROR, { ...failed, wanted: 'absent' }],
  [Phase.CONFIGURED, { ...settled, ports: 'differ' }],
  [Phase.REPLUG, { ...settled, config: 'differs' }],
  [Phase.CONFIGURED, { ...settled, services: 'down' }],
  [Phase.DEGRADED, settled],
  [Phase.CONFIGURED, { ...settled, instance: 'dead' }],
  [Phase.DEGRADED, { ...settled, instance: 'dead' }],
  [Phase.CONFIGURED, { ...settled, rebuild: 'asked' }],
  [Phase.CONFIGURED, { ...settled, wanted: 'absent' }],
  [Phase.DEGRADED, { ...settled, wanted: 'absent' }],
];

/** The page `docs/reference/lifecycle.md`. */
export function lifecyclePage(): string {
  return `# Lifecycle of a resource

<!-- Generated from packages/orchestrator/src/lifecycle/. \`vitest run packages/orchestrator/src/lifecycle -u\` writes it; a test holds it. -->

Each time a resource comes up in the queue, the orchestrator reads what it must look like (from its mirror of Neutron) and what it looks like
(from the host agent), finds the first row of the table below that holds, does that one step, and looks again until there is nothing to do now.
The phase is what it shows of that: it decides nothing, so a restart of the orchestrator forgets nothing.

## Phases

${phases()
  .map(({ name, meaning }) => `- **${name}**: ${meaning}`)
  .join('\n')}

\`\`\`mermaid
${diagram()}
\`\`\`

## Decisions

The first row that holds decides. An empty condition holds always.

| # | rule | when | step | phase from then on |
|--|--|--|--|--|
${table.map((row, index) => `| ${index + 1} | ${row.rule} | ${condition(row)} | ${row.step} | ${row.next ?? 'as before'} |`).join('\n')}

## Steps

| step | does |
|--|--|
${Object.entries(steps)
  .map(([step, does]) => `| ${step} | ${does} |`)
  .join('\n')}
`;
}

function condition({ when }: Row): string {
  return Object.entries(when)
    .map(([fact, values]) => `${fact} is ${values.join(' or ')}`)
    .join(', ');
}

function diagram(): string {
  const edges = new Map<string, Set<string>>();
  for (const [phase, situation] of happenings) {
    for (const { from, to, rule, step } of follow(phase, situation, 20)) {
      if (from === to) continue;
      const edge = `${from} --> ${to}`;
      edges.set(
        edge,
        (edges.get(edge) ?? new Set()).add(step === 'settle' || step === 'wait' ? rule : `${rule}: ${step}`),
      );
    }
  }
  const lines = [...edges].map(([edge, labels]) => `  ${edge}: ${[...labels].join(' / ')}`);
  return ['stateDiagram-v2', `  [*] --> ${Phase.DOWN}`, ...lines, `  ${Phase.GONE} --> [*]`].join('\n');
}

/** The docstrings of phase.ts: said once. */
function phases(): { name: string; meaning: string }[] {
  const source = readFileSync(new URL('phase.ts', import.meta.url), 'utf8');
  return [...source.matchAll(/^ {2}\/\*\* (.+) \*\/\n {2}(\w+): '\2',$/gm)].map(([, meaning = '', name = '']) => ({
    name,
    meaning,
  }));
}
