#!/usr/bin/env node
// npm run restore -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runMaintenance } = await import('../backend/maintenance.ts');
process.exitCode = await runMaintenance('restore', process.argv.slice(2));
