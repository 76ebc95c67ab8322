import { compile } from '@astara/config/compile.ts';
import type { Section } from '@astara/config/option.ts';
import { renderReference, renderSample } from '@astara/config/render.ts';
import { expect, test } from 'vitest';
import { checkMachine, type MachineConfig, machineSections } from './options.ts';

const sections: readonly Section[] = machineSections;
const readers = [{ program: 'appliance', sections }];
const sample = renderSample(readers, 'astara-appliance');

const intro = `# Configuration of the standalone appliance

<!-- Generated from packages/appliance/src/standalone/options.ts by \`npx vitest run packages/appliance/src/standalone/options --update\`;
     a test holds it equal. -->

\`astara-appliance\` reads \`--config-file\`, \`--config-dir\` and the environment as Astara's other programs do, in the same
[format](configuration.md), and takes \`--check-config\`. What it is and how to start it: [standalone](../guide/appliance/standalone.md).

A sample with every option is \`etc/astara-appliance.conf.sample\`.`;

function read(text: string): MachineConfig {
  const { config, problems } = compile(machineSections, [{ file: 'a', text }], {});
  expect(problems).toEqual([]);
  return config as MachineConfig;
}

test('docs/reference/appliance-configuration.md is the generated one', async () => {
  await expect(renderReference(readers, intro)).toMatchFileSnapshot(
    '../../../../docs/reference/appliance-configuration.md',
  );
});

test('etc/astara-appliance.conf.sample is the generated one', async () => {
  await expect(sample).toMatchFileSnapshot('../../../../etc/astara-appliance.conf.sample');
});

test('the sample says what happens without it: uncommented, it changes nothing', () => {
  const uncommented = sample
    .split('\n')
    .map((line) => line.replace(/^#(?=[a-z_]+ =)/, ''))
    .join('\n');
  expect(read(uncommented)).toEqual(read(''));
});

test('plain HTTP only where nobody else can come', () => {
  const problems = (text: string) => checkMachine(read(`[appliance]\n${text}\n`)).map(({ code }) => code);
  expect(problems('listen = 127.0.0.1')).toEqual([]);
  expect(problems('listen = ::1')).toEqual([]);
  expect(problems('listen = none')).toEqual([]);
  expect(problems('listen = ::')).toHaveLength(3);
  expect(problems('listen = 192.0.2.1\ntls_certificate = /a\ntls_key = /b')).toEqual(['MACHINE_TLS_REQUIRED']);
  expect(problems('listen = ::\ntls_certificate = /a\ntls_key = /b\ntls_client_ca = /c')).toEqual([]);
});
