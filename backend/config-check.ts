import { parseArgs } from 'node:util';
import { ConfigError, checkConfig } from './config.ts';

const USAGE = `npm run config-check
Reads the configuration as the backend would, shows what is in force, and starts nothing.
Exit code 1: something is wrong; all of it is listed.
`;

/** The entry of "npm run config-check". @returns the exit code */
export function runConfigCheck(args: string[]): number {
  try {
    const { values } = parseArgs({ args, options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    const { effective, warnings } = checkConfig();
    process.stdout.write(effective);
    for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`);
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      process.stderr.write(`The configuration is not valid:\n${error.message}\n`);
      return 1;
    }
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}`);
    return 2;
  }
}
