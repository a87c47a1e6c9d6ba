import { parseArgs } from 'node:util';
import { readLogEntries } from './log-entries.ts';
import { loadReplayConfig, ReplayConfigError } from './plugin-config.ts';
import { type ReplayReport, replay } from './replay.ts';
import { endpointSink, fileSink, type Sink } from './sinks.ts';

const USAGE = `Makes usage events of Kong's own JSON logs (file-log, http-log), the very ones that the plugin makes.

  npm run replay -- [options] LOG …            LOG: a file, or - for standard input

  --config FILE     the plugin's configuration: its "config" as YAML or JSON, or a decK file with the plugin in it
  --endpoint URL    send the events there; the token comes from the environment variable METERING_API_TOKEN
  --output FILE     write the events there instead, one a line; - for standard output
  --service NAME    only requests of this service (name or id)
  --route NAME      only requests of this route (name or id)
`;

/** What the command needs of its surroundings. */
export interface ReplayIo {
  environment: Readonly<Record<string, string | undefined>>;
  /** Takes progress and the report; never events. */
  say(line: string): void;
}

/** @returns the exit code: 0, 1 when events were refused or entries unreadable, 2 for a wrong call */
export async function runReplay(args: string[], io: ReplayIo): Promise<number> {
  let sink: Sink | undefined;
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        endpoint: { type: 'string' },
        output: { type: 'string' },
        service: { type: 'string' },
        route: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      io.say(USAGE);
      return 0;
    }
    if (positionals.length === 0) throw new ReplayConfigError('name at least one log file');
    if ((values.endpoint === undefined) === (values.output === undefined)) {
      throw new ReplayConfigError('give either --endpoint or --output');
    }
    const given = io.environment['METERING_API_TOKEN'];
    const token = given === '' ? undefined : given;
    if (values.endpoint !== undefined && token === undefined) {
      throw new ReplayConfigError('METERING_API_TOKEN is not set');
    }
    const { config: file, endpoint } = values;
    const config = loadReplayConfig({ file, endpoint, token, environment: io.environment });
    sink = values.output !== undefined ? fileSink(values.output) : toEndpoint(endpoint ?? '', token ?? '', io);
    const report = await replay(readLogEntries(positionals), config, values, sink);
    await sink.close();
    tell(report, io);
    return report.refused.length > 0 || report.unreadable.length > 0 ? 1 : 0;
  } catch (error) {
    if (!isMistake(error)) throw error;
    io.say(`${error.message}\n\n${USAGE}`);
    return 2;
  }
}

function toEndpoint(url: string, token: string, io: ReplayIo): Sink {
  const onRetry = (reason: string, delayMs: number) =>
    io.say(`trying again in ${Math.ceil(delayMs / 1000)} s: ${reason}`);
  return endpointSink({ url, token, onRetry });
}

function tell(report: ReplayReport, io: ReplayIo): void {
  io.say(`${report.entries} log entries, ${report.skipped} of them skipped, ${report.events} events`);
  for (const [reason, count] of Object.entries(report.dropped)) io.say(`  left out, ${reason}: ${count}`);
  for (const place of report.unreadable) io.say(`  unreadable: ${place}`);
  for (const { id, reason } of report.refused) io.say(`  refused: ${id}: ${reason}`);
}

/** Wrong arguments and unreadable files are the caller's; everything else is ours. */
function isMistake(error: unknown): error is Error {
  if (error instanceof ReplayConfigError) return true;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('ERR_PARSE_ARGS') || ['ENOENT', 'EACCES', 'EISDIR', 'EEXIST'].includes(code);
}
