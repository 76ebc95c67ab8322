import { describe, expect, test } from 'vitest';
// By path, not by package: this package knows none of the programs; only the pages about them are made here.
import { agentSections, foreignToAgent } from '../../agent/src/options.ts';
import { foreignToOrchestrator, orchestratorSections } from '../../orchestrator/src/options.ts';
import type { Foreign } from './assignments.ts';
import { compile } from './compile.ts';
import type { Section } from './option.ts';
import { renderReference, renderSample } from './render.ts';

const readers = [
  { program: 'orchestrator', sections: orchestratorSections },
  { program: 'agent', sections: agentSections },
];

const INTRO = `# Configuration

<!-- Generated from packages/orchestrator/src/options.ts and packages/agent/src/options.ts by
     \`npx vitest run packages/config --update\`; a test holds it equal to them. -->

\`astara-orchestrator\` and \`astara-agent\` read \`/etc/astara/astara.conf\` and then \`/etc/astara/astara.conf.d/*.conf\`, or what
\`--config-file\` and \`--config-dir\` name; both may be given several times, and what comes later wins. \`--check-config\` reads
and checks, says everything that is wrong, and does nothing else (exit code 0 or 2). Both programs may read one file:
each checks its own options and leaves the other's alone. An unknown section or option is an error.

The format is oslo.config's:

- \`[section]\`, then \`name = value\` or \`name: value\`. A comment is a line that begins with \`#\` or \`;\`; there are none behind a value.
- An indented line continues the value above it. A list is separated by commas or lines.
- \`$name\`, \`\${name}\` and \`\${section.name}\` stand for the value of another option: of the same section, or else of \`[DEFAULT]\`.
  A literal dollar sign is \`$$\` or \`\\$\`, also in passwords.
- One pair of quotes around a value is dropped. An option that comes twice has its last value.
- \`true\`, \`yes\`, \`on\`, \`1\` and \`false\`, \`no\`, \`off\`, \`0\` are the same.

A sample with every option is \`etc/astara.conf.sample\`.`;

/** The sections of `theirs` that `ours` lacks, and in shared sections the options. */
function foreignOf(ours: readonly Section[], theirs: readonly Section[]): Foreign {
  return Object.fromEntries(
    theirs.flatMap(({ section, options }): [string, '*' | string[]][] => {
      const own = ours.find((candidate) => candidate.section === section);
      if (own === undefined) return [[section, '*']];
      const names = Object.keys(options).filter((name) => !Object.hasOwn(own.options, name));
      return names.length === 0 ? [] : [[section, names]];
    }),
  );
}

describe('reference', () => {
  // With --update these files are written anew.
  test('docs/reference/configuration.md is the generated one', async () => {
    await expect(renderReference(readers, INTRO)).toMatchFileSnapshot('../../../docs/reference/configuration.md');
  });

  test('etc/astara.conf.sample is the generated one', async () => {
    await expect(renderSample(readers)).toMatchFileSnapshot('../../../etc/astara.conf.sample');
  });

  test('the sample says what happens without it: uncommented, it changes nothing', () => {
    const transport = '[DEFAULT]\ntransport_url = rabbit://u:p@h/\n';
    const uncommented = renderSample(readers)
      .split('\n')
      .filter((line) => !/^#(transport_url|host) =/.test(line))
      .map((line) => line.replace(/^#(?=[a-z_]+ =)/, ''))
      .join('\n');
    for (const [sections, foreign] of [
      [orchestratorSections, foreignToOrchestrator],
      [agentSections, foreignToAgent],
    ] as const) {
      const all: readonly Section[] = sections;
      const sample = compile(all, [{ file: 'sample', text: uncommented + transport }], foreign);
      const nothing = compile(all, [{ file: 'nothing', text: transport }], foreign);
      expect(sample.problems).toEqual([]);
      expect(sample.config).toEqual(nothing.config);
    }
  });

  test("each program knows what is the other's in a shared file", () => {
    expect(foreignToAgent).toEqual(foreignOf(agentSections, orchestratorSections));
    expect(foreignToOrchestrator).toEqual(foreignOf(orchestratorSections, agentSections));
  });

  test('an option that both read is declared once', () => {
    for (const { section, options } of agentSections) {
      const other: Section | undefined = orchestratorSections.find((candidate) => candidate.section === section);
      for (const [name, spec] of Object.entries(options)) {
        const twin = other?.options[name];
        if (twin !== undefined) expect(twin).toBe(spec);
      }
    }
  });
});
