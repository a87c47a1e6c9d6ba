import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'dump'; readonly plugin: string }
  | { readonly kind: 'serve'; readonly plugin: string; readonly socket: string; readonly workers: number }
  /** One of several processes behind the same socket; started by the first of them, never by hand. */
  | { readonly kind: 'worker'; readonly plugin: string };

/** A command line that cannot be carried out; the message says what to change. */
export class CommandLineError extends Error {}

/** More than any machine has cores for plugins; each is a process with a memory of its own. */
const MAX_WORKERS = 64;

export const USAGE = `Usage: kong-plugin-server --plugin FILE_OR_FOLDER --socket PATH [--workers N]
       kong-plugin-server --plugin FILE_OR_FOLDER --dump-all-plugins

Serves a plugin that was written for Kong's JavaScript plugin development kit, over the protocol ProtoBuf:1.

  --plugin FILE_OR_FOLDER  the plugin: a module that exports Plugin, and Name, Version, Priority, Schema
  --socket PATH            the unix socket that Kong connects to; a server that listens there is replaced
  --workers N              processes that serve the socket, 1 to ${MAX_WORKERS} (default 1)
  --dump-all-plugins       describes the plugin on standard output, as Kong's query command, and ends
  --help                   shows this text

In kong.conf, with absolute paths, since Kong starts it with hardly any environment:
  pluginserver_names = js
  pluginserver_js_socket = PATH
  pluginserver_js_start_cmd = /path/to/node /path/to/kong-plugin-server --plugin FILE_OR_FOLDER --socket PATH
  pluginserver_js_query_cmd = /path/to/node /path/to/kong-plugin-server --plugin FILE_OR_FOLDER --dump-all-plugins
`;

/** The option that makes a worker. */
export const WORKER_OPTION = '--as-worker';

/** @throws CommandLineError */
export function readCommandLine(args: readonly string[]): Command {
  const { plugin, socket, workers, help, ...rest } = parse(args);
  if (help === true) return { kind: 'help' };
  if (plugin === undefined) throw new CommandLineError('--plugin is missing');
  if (plugin === '') throw new CommandLineError('--plugin must name a file or a folder');
  if (rest['dump-all-plugins'] === true) return { kind: 'dump', plugin };
  if (rest['as-worker'] === true) return { kind: 'worker', plugin };
  if (socket === undefined || socket === '') throw new CommandLineError('--socket is missing');
  return { kind: 'serve', plugin, socket, workers: readWorkers(workers ?? '1') };
}

function parse(args: readonly string[]): {
  plugin?: string;
  socket?: string;
  workers?: string;
  help?: boolean;
  'dump-all-plugins'?: boolean;
  'as-worker'?: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        plugin: { type: 'string' },
        socket: { type: 'string' },
        workers: { type: 'string' },
        'dump-all-plugins': { type: 'boolean' },
        'as-worker': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new CommandLineError(error instanceof Error ? error.message : String(error));
  }
}

function readWorkers(text: string): number {
  const workers = Number(text);
  if (!/^\d{1,3}$/.test(text) || workers < 1 || workers > MAX_WORKERS) {
    throw new CommandLineError(`--workers must be a whole number from 1 to ${MAX_WORKERS}`);
  }
  return workers;
}
