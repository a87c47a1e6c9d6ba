#!/usr/bin/env node
// Makes usage events of gateway logs: npm run replay -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runReplay } = await import('../plugin/replay/cli.ts');
const io = { environment: process.env, say: (line) => process.stderr.write(`${line}\n`) };
process.exitCode = await runReplay(process.argv.slice(2), io);
