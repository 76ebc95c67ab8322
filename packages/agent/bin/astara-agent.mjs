#!/usr/bin/env -S node --max-semi-space-size=2
// Starts the agent with Node's compile cache: without it every start strips the types of every file again, which costs
// half of the start and 20 MB that stay. Plain JavaScript, so that the type stripper is not loaded for this file either.
// The small semi-space keeps garbage from growing the heap of a process that is idle most of the time.
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache(process.env.NODE_COMPILE_CACHE ?? '/var/cache/astara/node');
const [{ keepOnly }, { agentCapabilities }] = await Promise.all([
  import('@astara/appliance/own-privileges.ts'),
  import('../src/capabilities.ts'),
]);
keepOnly(agentCapabilities);
await import('../src/main.ts');
// Node writes it at the end of the process, which a kill -9 takes away.
setTimeout(flushCompileCache, 2_000).unref();
