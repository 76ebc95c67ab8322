import { runProgram } from '@astara/config/run-program.ts';
import { checkCloud, cloudSections } from './options.ts';
import { start } from './start.ts';

await runProgram(
  {
    name: 'astara-cloud',
    does: 'is a Neutron-compatible cloud in one process, for demonstrations, tests and runs at scale',
    version: '0.1.0',
    sections: cloudSections,
    check: checkCloud,
  },
  start,
);
