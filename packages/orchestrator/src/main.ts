import { runProgram } from '@astara/config/run-program.ts';
import { checkOrchestrator, foreignToOrchestrator, orchestratorSections } from './options.ts';
import { start } from './start.ts';

await runProgram(
  {
    name: 'astara-orchestrator',
    does: 'is the L3 and DHCP agent of this host, and keeps its service instances as Neutron wants them',
    version: '0.1.0',
    sections: orchestratorSections,
    foreign: foreignToOrchestrator,
    check: checkOrchestrator,
  },
  start,
);
