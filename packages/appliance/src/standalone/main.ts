import { runProgram } from '@astara/config/run-program.ts';
import { checkMachine, machineSections } from './options.ts';
import { start } from './start.ts';

await runProgram(
  {
    name: 'astara-appliance',
    does: 'makes this machine a router that is driven through an API',
    version: '0.1.0',
    sections: machineSections,
    check: checkMachine,
  },
  start,
);
