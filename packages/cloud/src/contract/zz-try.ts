import { mkdirSync, writeFileSync } from 'node:fs';
import { startTarget } from '/work/main/packages/cloud/src/contract/cloud-target.ts';
import { contract } from '/work/main/packages/cloud/src/contract/contract.ts';
import { Runner } from '/work/main/packages/cloud/src/contract/run.ts';
import { write } from '/work/main/packages/cloud/src/contract/transcript.ts';

const dir = process.argv[2] ?? '/tmp/contract';
mkdirSync(dir, { recursive: true });
const { target, stop } = await startTarget();
const runner = await Runner.start(target);
for (const one of contract) {
  if (process.argv[3] && !one.name.includes(process.argv[3])) continue;
  try {
    writeFileSync(`${dir}/${one.name.replaceAll(' ', '-')}.jsonl`, write(await runner.perform(one)));
  } catch (error) {
    console.log(one.name, error);
  }
}
await runner.stop();
await stop();
