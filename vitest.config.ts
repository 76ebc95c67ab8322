import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'demo/*.test.ts', 'docs/*.test.ts'],
    // Tests move between network namespaces with setns(2); that is a property of a thread, so each file gets a process.
    pool: 'forks',
    // By default one less than there are cores; most files wait for daemons and timers.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
