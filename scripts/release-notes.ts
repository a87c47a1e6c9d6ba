import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// Prints what the changelog says of a version: node scripts/release-notes.ts 0.1.0
const { positionals } = parseArgs({ allowPositionals: true });
const version = positionals[0] ?? '';
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m).slice(1);
const section = sections.find((text) => text.startsWith(`[${version}] - `));
if (section === undefined) {
  console.error(`CHANGELOG.md has no section for version "${version}".`);
  process.exit(1);
}
process.stdout.write(`${section.slice(section.indexOf('\n')).trim()}\n`);
