import type { PluginServer } from '../../gateway-player/index.ts';

/** One line of JSON that the plugin wrote to stderr. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What the plugin wrote to stderr; a line that is no JSON fails. */
export function logLines(server: PluginServer): readonly LogLine[] {
  return server
    .stderr()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

/** How many events were dropped, by reason, as the log tells it; complete once the server has ended. */
export function dropsIn(server: PluginServer): Readonly<Record<string, number>> {
  const drops: Record<string, number> = {};
  for (const { msg, reason, count } of logLines(server)) {
    if (msg === 'events dropped') drops[String(reason)] = (drops[String(reason)] ?? 0) + Number(count);
  }
  return drops;
}
