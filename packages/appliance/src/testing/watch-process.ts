import { setTimeout } from 'node:timers/promises';
import { openKernel } from '@astara/kernel/open.ts';
import { answersDhcp, knows } from './many-hosts.ts';

/**
 * Asks the DNS and the DHCP of a namespace, every millisecond, until stdin ends. Prints a line when both have answered once, and at
 * the end the longest waits, in ms.
 */
const [name = ''] = process.argv.slice(2);
const netns = await (await openKernel('auto')).open(name);
const ask = { dns: () => knows(netns, 2), dhcp: () => answersDhcp(netns) };
const longest = { dns: 0, dhcp: 0 };
let ended = false;
process.stdin.on('end', () => {
  ended = true;
});
process.stdin.resume();

async function watch(role: 'dns' | 'dhcp'): Promise<void> {
  // One more after the end: what was set in motion just before may hold up an answer.
  for (let last = false; !last; ) {
    last = ended;
    const start = performance.now();
    await ask[role]();
    longest[role] = Math.max(longest[role], performance.now() - start);
    await setTimeout(last ? 0 : 1);
  }
}

await Promise.all([ask.dns(), ask.dhcp()]);
console.log('ready');
await Promise.all([watch('dns'), watch('dhcp')]);
console.log(JSON.stringify(longest));
process.exit(0);
