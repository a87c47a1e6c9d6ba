import { parseArgs } from 'node:util';
import { PROTOCOLS, type Protocol } from './plugin-module.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'dump';
      readonly plugin: string;
      readonly protocol: Protocol;
      readonly socket: string | undefined;
    }
  | {
      readonly kind: 'serve';
      readonly plugin: string;
      readonly socket: string;
      /** 0 = this process serves alone, without another that watches it. */
      readonly workers: number;
      readonly protocol: Protocol;
      /** Kong's: launches a server that lives on across its restarts. `kept` is that server. */
      readonly role: 'service' | 'launcher' | 'kept';
    }
  /** One of several processes behind the same socket; started by the first of them, never by hand. */
  | { readonly kind: 'worker'; readonly plugin: string; readonly protocol: Protocol };

/** A command line that cannot be carried out; the message says what to change. */
export class CommandLineError extends Error {}

/** More than any machine has cores for plugins; each is a process with a memory of its own. */
const MAX_WORKERS = 64;

export const USAGE = `Usage: kong-plugin-server --plugin FILE_OR_FOLDER --socket PATH [--workers N] [--managed] [--protocol P]
       kong-plugin-server --plugin FILE_OR_FOLDER --dump-all-plugins [--socket PATH] [--protocol P]

Serves a plugin that was written for Kong's JavaScript plugin development kit, over the protocol ProtoBuf:1 or
MsgPack:1.

  --plugin FILE_OR_FOLDER  the plugin: a module that exports Plugin, and Name, Version, Priority, Schema
  --socket PATH            the unix socket that Kong connects to; a server that listens there is replaced. Under systemd's
                           socket activation the socket is systemd's
  --workers N              processes that serve the socket, 1 to ${MAX_WORKERS}, besides one that watches them and replaces what
                           dies or hangs. Without it one process serves, and nobody watches it
  --managed                for Kong's start command: the server lives on across reloads and restarts of Kong, in a session
                           of its own, and ends a minute after the last Kong has gone. Implies --workers 1
  --protocol P             protobuf (default) or msgpack, the same in both commands: Kong learns it from the second. When
                           no server runs, Kong refuses requests over protobuf and lets them pass over msgpack
  --dump-all-plugins       describes the plugin on standard output, as Kong's query command, and ends; with --socket it
                           also says when no socket can be made there
  --help                   shows this text

In kong.conf, with absolute paths, since Kong starts it with hardly any environment:
  pluginserver_names = js
  pluginserver_js_socket = PATH
  pluginserver_js_query_cmd = /path/to/node /path/to/kong-plugin-server --plugin FILE_OR_FOLDER --dump-all-plugins
and, unless the server runs as a service beside Kong, which is better:
  pluginserver_js_start_cmd = /path/to/node /path/to/kong-plugin-server --plugin FILE_OR_FOLDER --socket PATH --managed
`;

/** What makes the server of a launcher; never by hand. */
export const KEPT_OPTION = '--as-kept';
export const MANAGED_OPTION = '--managed';

/** The option that makes a worker. */
export const WORKER_OPTION = '--as-worker';

/** @throws CommandLineError */
export function readCommandLine(args: readonly string[]): Command {
  const { plugin, socket, workers, help, ...rest } = parse(args);
  if (help === true) return { kind: 'help' };
  if (plugin === undefined) throw new CommandLineError('--plugin is missing');
  if (plugin === '') throw new CommandLineError('--plugin must name a file or a folder');
  const protocol = readProtocol(rest.protocol ?? 'protobuf');
  if (rest['dump-all-plugins'] === true) return { kind: 'dump', plugin, protocol, socket };
  if (rest['as-worker'] === true) return { kind: 'worker', plugin, protocol };
  if (socket === undefined || socket === '') throw new CommandLineError('--socket is missing');
  const role = rest['as-kept'] === true ? 'kept' : rest.managed === true ? 'launcher' : 'service';
  const count = workers === undefined ? (role === 'service' ? 0 : 1) : readWorkers(workers);
  // Its calls come over any connection, and so to any process: not to the one that has begun with the request.
  if (protocol === 'MsgPack:1' && count > 1) throw new CommandLineError('--protocol msgpack has one worker only');
  return { kind: 'serve', plugin, socket, workers: count, protocol, role };
}

function readProtocol(text: string): Protocol {
  const protocol = PROTOCOLS.find((name) => name.toLowerCase() === `${text}:1`);
  if (protocol === undefined) throw new CommandLineError('--protocol must be protobuf or msgpack');
  return protocol;
}

function parse(args: readonly string[]): {
  plugin?: string;
  socket?: string;
  workers?: string;
  protocol?: string;
  help?: boolean;
  'dump-all-plugins'?: boolean;
  'as-worker'?: boolean;
  'as-kept'?: boolean;
  managed?: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        plugin: { type: 'string' },
        socket: { type: 'string' },
        workers: { type: 'string' },
        protocol: { type: 'string' },
        'dump-all-plugins': { type: 'boolean' },
        'as-worker': { type: 'boolean' },
        'as-kept': { type: 'boolean' },
        managed: { type: 'boolean' },
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
