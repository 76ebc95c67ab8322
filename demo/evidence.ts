import { copyFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '../e2e/lib/exec.ts';

const questions = [
  ['ip', 'address'],
  ['ip', 'route'],
  ['ip', 'neighbour'],
  ['ss', '-Hnltup'],
  ['nft', 'list', 'ruleset'],
];

/** Copies the logs to a directory that stays, with the state of every namespace of ours, and answers its path. */
export async function keepEvidence(dir: string): Promise<string> {
  const kept = mkdtempSync(join(tmpdir(), 'astara-demo-failed-'));
  for (const name of readdirSync(dir).filter((one) => one.endsWith('.log')))
    copyFileSync(join(dir, name), join(kept, name));
  const { stdout } = await execute(['ip', 'netns', 'list']);
  const ours = stdout.match(/^(astara-internet|astara-[0-9a-f]{8}-\S+|vm-[0-9a-f]{8})\b/gm) ?? [];
  for (const netns of ours) {
    const answers = questions.map(async (argv) => {
      const { stdout: answer, stderr } = await execute(['ip', 'netns', 'exec', netns, ...argv]);
      return `# ${argv.join(' ')}\n${answer}${stderr}\n`;
    });
    writeFileSync(join(kept, `${netns}.txt`), (await Promise.all(answers)).join(''));
  }
  return kept;
}
