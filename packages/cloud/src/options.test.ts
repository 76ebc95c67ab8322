import { compile } from '@astara/config/compile.ts';
import type { Section } from '@astara/config/option.ts';
import { renderReference, renderSample } from '@astara/config/render.ts';
import { expect, test } from 'vitest';
import { cloudSections } from './options.ts';

const sections: readonly Section[] = cloudSections;
const readers = [{ program: 'cloud', sections }];
const sample = renderSample(readers, 'astara-cloud');

const intro = `# Configuration of the cloud

<!-- Generated from packages/cloud/src/options.ts by \`npx vitest run packages/cloud/src/options --update\`; a test holds it equal. -->

\`astara-cloud\` reads \`--config-file\` and \`--config-dir\` as Astara's own programs do, in the same [format](configuration.md), and
takes \`--check-config\`. Only \`[identity] admin_password\` is required. What it is and how to start it: [cloud](cloud.md).

A sample with every option is \`etc/astara-cloud.conf.sample\`.`;

test('docs/reference/cloud-configuration.md is the generated one', async () => {
  await expect(renderReference(readers, intro)).toMatchFileSnapshot('../../../docs/reference/cloud-configuration.md');
});

test('etc/astara-cloud.conf.sample is the generated one', async () => {
  await expect(sample).toMatchFileSnapshot('../../../etc/astara-cloud.conf.sample');
});

test('the sample says what happens without it: uncommented, it changes nothing', () => {
  const required = '[identity]\nadmin_password = p\n';
  const uncommented = sample
    .split('\n')
    .filter((line) => !/^#(host|admin_password) =/.test(line))
    .map((line) => line.replace(/^#(?=[a-z_]+ =)/, ''))
    .join('\n');
  const [from, without] = [uncommented + required, required].map((text) =>
    compile(sections, [{ file: 'a', text }], {}),
  );
  expect(from?.problems).toEqual([]);
  expect(from?.config).toEqual(without?.config);
});
