import { runDemo } from './demo.ts';
import { parseOptions, usage } from './options.ts';
import { missingForPackets } from './preflight.ts';
import { Screen } from './screen.ts';

const options = readOptions();
const missing = options.simulated ? [] : missingForPackets();
if (missing.length > 0) {
  process.stderr.write(
    `demo: this machine cannot run it with real packets:\n${missing.map((one) => `  - ${one}\n`).join('')}`,
  );
  process.stderr.write('What can be shown without: ./run demo --simulated\n');
  process.exit(2);
}
const screen = new Screen();
try {
  await runDemo(screen, options);
} catch (error) {
  screen.say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function readOptions() {
  try {
    const parsed = parseOptions(process.argv.slice(2));
    if (!parsed.help) return parsed;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}
