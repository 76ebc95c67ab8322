#!/usr/bin/env node
// Plain JavaScript, so that the type stripper is not loaded for this file; with the compile cache a start costs half.
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('../src/main.ts');
