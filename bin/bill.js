#!/usr/bin/env node
// Bills everybody who is due: npm run bill -- --help
import { requireNode } from './require-node.js';

requireNode();
const { runBill } = await import('../scripts/bill.ts');
process.exitCode = await runBill(process.argv.slice(2), {
  environment: process.env,
  say: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
});
