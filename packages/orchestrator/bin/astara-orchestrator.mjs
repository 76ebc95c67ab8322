#!/usr/bin/env -S node --max-semi-space-size=2
// Starts the orchestrator with Node's compile cache, for the reasons given in packages/agent/bin/astara-agent.mjs.
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache(process.env.NODE_COMPILE_CACHE ?? '/var/cache/astara/node');
await import('../src/main.ts');
setTimeout(flushCompileCache, 2_000).unref();
