#!/usr/bin/env -S node --max-semi-space-size=2
// As the agent's: plain JavaScript, so that the type stripper is not loaded for this file; with the compile cache a start costs half.
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache(process.env.NODE_COMPILE_CACHE ?? '/var/cache/astara/node');
const [{ keepOnly }, { machineCapabilities }] = await Promise.all([
  import('../src/own-privileges.ts'),
  import('../src/standalone/capabilities.ts'),
]);
keepOnly(machineCapabilities);
await import('../src/standalone/main.ts');
// Node writes it at the end of the process, which a kill -9 takes away.
setTimeout(flushCompileCache, 2_000).unref();
