import { spawnSync } from 'node:child_process';
import { z } from 'zod';

/**
 * Asks the registry for known faults in what ships: npm run audit:dependencies. Ends with 1 when there are high or
 * critical ones. A registry that has no audit, or none that answers, is no fault of the dependencies: it is said, and
 * the exit code is 0.
 */
const TIMEOUT_MS = 60_000;
const reportSchema = z.object({
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), isDirect: z.boolean().optional() })),
  metadata: z.object({ dependencies: z.object({ prod: z.int() }) }),
});

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  timeout: TIMEOUT_MS,
  stdio: ['ignore', 'pipe', 'ignore'],
});

function readReport(): z.output<typeof reportSchema> | undefined {
  try {
    return reportSchema.safeParse(JSON.parse(stdout)).data;
  } catch {
    return undefined;
  }
}

const report = readReport();
if (report === undefined) {
  // Loud: who reads only that the run passed would take it for a clean audit.
  const line = '='.repeat(78);
  console.log(`${line}\nDependencies: NOTHING WAS CHECKED. The registry does not answer an audit.\n${line}`);
} else {
  const found = Object.entries(report.vulnerabilities).map(([name, { severity }]) => `${name} (${severity})`);
  const grave = found.filter((text) => /\((?:high|critical)\)$/.test(text));
  console.log(`Dependencies: ${report.metadata.dependencies.prod} that ship, ${found.length} with known faults.`);
  for (const text of found) console.log(`  ${text}`);
  if (grave.length > 0) process.exitCode = 1;
}
