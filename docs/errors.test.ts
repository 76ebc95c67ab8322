import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errors as agent } from '@astara/agent/errors.ts';
import { errors as appliance } from '@astara/appliance/errors.ts';
import { cloudErrors as cloud } from '@astara/cloud/errors.ts';
import { configErrors as config } from '@astara/config/errors.ts';
import { kernelErrors as kernel } from '@astara/kernel/errors.ts';
import { errors as messaging } from '@astara/messaging/errors.ts';
import type { ErrorSpec } from '@astara/model/error.ts';
import { openstackErrors as openstack } from '@astara/openstack/errors.ts';
import { errors as orchestrator } from '@astara/orchestrator/errors.ts';
import { expect, test } from 'vitest';

/** Here and not in a package, because the page tells of all of them: documentation knows every package, and none knows it. */

interface Chapter {
  readonly pkg: string;
  readonly about: string;
  readonly catalogue: object;
}

const chapters: readonly Chapter[] = [
  { pkg: 'config', about: 'Reading the configuration, at the start of both programs.', catalogue: config },
  { pkg: 'openstack', about: 'Keystone, Neutron and the other services, over HTTP.', catalogue: openstack },
  { pkg: 'messaging', about: 'RabbitMQ, and calls to neutron-server through it.', catalogue: messaging },
  {
    pkg: 'orchestrator',
    about: 'The lifecycle, the host agent as a provider, metadata, the HTTP API.',
    catalogue: orchestrator,
  },
  { pkg: 'agent', about: 'Instances of this host.', catalogue: agent },
  { pkg: 'appliance', about: 'A configuration and the services of an instance.', catalogue: appliance },
  { pkg: 'kernel', about: 'Links, addresses, routes, namespaces and nftables.', catalogue: kernel },
  { pkg: 'cloud', about: 'The cloud in one process: its bridges and machines.', catalogue: cloud },
];

const INTRO = `# Errors

<!-- Generated from packages/*/src/errors.ts by \`npx vitest run docs --update\`; a test holds it equal to them. -->

Every error that Astara logs, shows in \`last_error\` or answers with has a code; a code is never used for something else. On the wire
it is \`{"error": {"code", "message", "remedy", "retry", "field"?}}\`, with the HTTP status of the last column (500 where there
is none). A \`{word}\` stands for what the error is about. A \`last_error\` with the code \`INTERNAL\` is in no catalogue: it is a defect, please report it.

**Retry** says who brings it back to health: \`retry\`: the same again, which Astara does by itself, later and later; \`terminal\`:
nobody, the same would fail again until something else changes; \`operator\`: a person, by the remedy. **Reach** is how far the
damage goes: this \`request\`, the \`appliance\`, the \`instance\` around it, the \`provider\` (this host), or the \`cluster\`.`;

const specsOf = (catalogue: object): [string, ErrorSpec][] =>
  Object.entries(catalogue).filter(([code]) => code !== 'make');

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');

function row([code, { message, remedy, retry, radius, status }]: [string, ErrorSpec]): string {
  return `| \`${code}\` | ${cell(message)} | ${cell(remedy)} | ${retry} | ${radius} | ${status ?? ''} |`;
}

function render({ pkg, about, catalogue }: Chapter): string {
  return [
    `## ${pkg}`,
    about,
    [
      '| Code | Message | What to do | Retry | Reach | HTTP |',
      '|--|--|--|--|--|--|',
      ...specsOf(catalogue).map(row),
    ].join('\n'),
  ].join('\n\n');
}

test('reference/errors.md is the generated one', async () => {
  const page = `${[INTRO, ...chapters.map(render)].join('\n\n')}\n`;
  await expect(page).toMatchFileSnapshot('reference/errors.md');
});

test('every catalogue is on the page', () => {
  const cwd = join(import.meta.dirname, '../packages');
  const sources = globSync('*/src/**/*.ts', { cwd }).filter((path) => !/\/testing\/|\.test\.ts$/.test(path));
  const declaring = sources.filter((path) => / = defineErrors[<(]/.test(readFileSync(join(cwd, path), 'utf8')));
  expect(declaring.sort()).toEqual(chapters.map(({ pkg }) => `${pkg}/src/errors.ts`).sort());
});

test('a code is declared once, and says what to do', () => {
  const all = chapters.flatMap(({ catalogue }) => specsOf(catalogue));
  expect(new Set(all.map(([code]) => code)).size).toBe(all.length);
  for (const [code, { message, remedy }] of all) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z0-9]+)+$/);
    expect(message.trim(), code).not.toBe('');
    expect(remedy.trim(), code).not.toBe('');
  }
});
