import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { answerOf, type Client, type components, createClient } from '../sdk/index.ts';

const USAGE = `Bills everybody who is due, as the backend does by itself every five minutes.

  npm run bill -- [--as-of INSTANT]

It asks a running backend to do it, over its API, and opens no database.

  --as-of INSTANT     bills as if it were then, RFC 3339; default and latest: now
  --due-only          works out charges only where a billing period has ended; default: of all subscribers
  --url URL           of the backend, else METERING_URL, else http://127.0.0.1:8888
  --token-file FILE   has the access token, else METERING_TOKEN is the token
`;

const OPTIONS = {
  'as-of': { type: 'string' },
  'due-only': { type: 'boolean', default: false },
  url: { type: 'string' },
  'token-file': { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Run = components['schemas']['BillingRun'];

/** What the command needs of its surroundings. */
export interface BillIo {
  environment: Readonly<Record<string, string | undefined>>;
  say(text: string): void;
  /** A terminal gets a bar that moves, everything else a line for each stage. */
  isTerminal: boolean;
}

const POLL_MS = 500;
const BAR_WIDTH = 30;

/** @returns the exit code: 0, or 1 when something was wrong with the run or with a part of it */
export async function runBill(args: string[], io: BillIo): Promise<number> {
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    if (values.help) {
      io.say(USAGE);
      return 0;
    }
    const url = values.url ?? io.environment['METERING_URL'] ?? 'http://127.0.0.1:8888';
    const file = values['token-file'];
    const token = file === undefined ? io.environment['METERING_TOKEN'] : readFileSync(file, 'utf8').trim();
    const client = createClient({ url, token });
    const body = { ...(values['as-of'] !== undefined && { as_of: values['as-of'] }), full: !values['due-only'] };
    return await follow(await answerOf(client.POST('/v3/openmeter/billing/runs', { body })), client, io);
  } catch (error) {
    io.say(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function follow(started: Run, client: Client, io: BillIo): Promise<number> {
  let run = started;
  let shownStage = '';
  while (run.stage !== 'finished') {
    if (io.isTerminal) io.say(`\r\u001b[K${progressLine(run)}`);
    else if (run.stage !== shownStage) io.say(`${run.stage}: ${run.stage_total} to do\n`);
    shownStage = run.stage;
    await pause(POLL_MS);
    run = await answerOf(client.GET('/v3/openmeter/billing/runs/{runId}', { params: { path: { runId: run.id } } }));
  }
  if (io.isTerminal) io.say('\r\u001b[K');
  io.say(`${run.done} customers and invoices done, ${run.failed} failed\n`);
  const { last_error } = run;
  if (last_error) io.say(`the last error, ${last_error.stage} of ${last_error.item_id}: ${last_error.message}\n`);
  return run.failed === 0 ? 0 : 1;
}

function progressLine({ stage, stage_done, stage_total, failed }: Run): string {
  const share = stage_total === 0 ? 0 : Math.min(stage_done / stage_total, 1);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  return `${stage.padEnd(8)} ${bar} ${stage_done}/${stage_total}${failed === 0 ? '' : `, ${failed} failed`}`;
}
