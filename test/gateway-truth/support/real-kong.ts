import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PLUGIN_SERVER } from '../../gateway-player/index.ts';

/**
 * A Kong Gateway of this machine: its command in KONG_BIN, or in the `bin` of the folder KONG_PREFIX. Nothing here runs
 * without one.
 */
const { KONG_BIN, KONG_PREFIX } = process.env;
export const KONG = KONG_BIN ?? (KONG_PREFIX === undefined ? undefined : join(KONG_PREFIX, 'bin', 'kong'));
const PLUGIN_DIR = join(import.meta.dirname, '../../../dist/plugin/metering-and-billing');

/** How the plugin server is run: by Kong, as a service beside it, or started by Kong as in the first versions. */
export type Installation = 'managed' | 'service' | 'bare';

export interface RealKongOptions {
  readonly installation: Installation;
  readonly endpoint: string;
  readonly token?: string;
  /** Of the plugin server. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kong writes down each request that it has served, and the plugin server reads that. */
  readonly countsRequests?: boolean;
  readonly protocol?: 'protobuf' | 'msgpack';
  /** More of the declarative configuration: whole services. */
  readonly services?: readonly object[];
  readonly workers?: number;
  /** The plugin is enabled for whatever has no instance of its own as well, with nothing to meter. */
  readonly isGlobal?: boolean;
  /** Of the metering plugin. */
  readonly queue?: object;
  /** More of kong.conf. */
  readonly conf?: Readonly<Record<string, string>>;
  /** Its configuration is in this database, and not that of a file. */
  readonly database?: { readonly port: number; readonly user: string; readonly name: string };
  /** Of Kong itself. */
  readonly kongEnv?: Readonly<Record<string, string>>;
  /** A command that is run as the service in place of our server; the path of the socket is its last argument. */
  readonly standIn?: readonly string[];
}

export interface RealKong {
  readonly proxy: number;
  readonly adminUrl: string;
  /** What answers every request with 200. */
  readonly upstreamUrl: string;
  readonly statusUrl: string;
  readonly folder: string;
  readonly socket: string;
  /** `start`, `reload`, `quit -t 60`, `stop` or `migrations bootstrap`; resolves when the command is done. @throws what it wrote */
  run(command: string): Promise<void>;
  /** The processes of the plugin server: those that serve, or all that are not the launcher. */
  serverPids(which: 'serving' | 'first'): Promise<readonly number[]>;
  /** The service, if that is the installation. */
  readonly service: { stop(): Promise<void>; again(): void };
  /** Kong's error log. */
  log(): Promise<string>;
  remove(): Promise<void>;
}

const exec = promisify(execFile);

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Writes the configuration of a Kong with one metered route, and starts what is to run beside it. */
export async function prepareKong(options: RealKongOptions): Promise<RealKong> {
  const folder = await mkdtemp(join(tmpdir(), 'real-kong-'));
  const prefix = join(folder, 'prefix');
  await mkdir(prefix);
  const socket = join(prefix, 'metering.sock');
  const requestsLog = join(folder, 'requests.log');
  const upstream = await startUpstream();
  const [proxy, admin, status] = [await freePort(), await freePort(), await freePort()];
  const server = [
    process.execPath,
    PLUGIN_SERVER,
    '--plugin',
    PLUGIN_DIR,
    '--protocol',
    options.protocol ?? 'protobuf',
  ];
  const settings = Object.entries({
    METERING_SPOOL_DIR: join(folder, 'spool'),
    ...(options.countsRequests && { METERING_REQUESTS_LOG: requestsLog }),
    ...options.env,
  });
  const command = ['/usr/bin/env', ...settings.map((pair) => pair.join('=')), ...server, '--socket', socket];
  await writeFile(
    join(folder, 'kong.yml'),
    JSON.stringify(declarative(options, (upstream.address() as AddressInfo).port)),
  );
  const conf = {
    prefix,
    ...(options.database === undefined
      ? { database: 'off', declarative_config: join(folder, 'kong.yml') }
      : databaseConf(options.database)),
    router_flavor: 'traditional',
    proxy_listen: `127.0.0.1:${proxy} reuseport backlog=4096`,
    admin_listen: `127.0.0.1:${admin}`,
    status_listen: `127.0.0.1:${status}`,
    admin_gui_listen: 'off',
    nginx_worker_processes: options.workers ?? 2,
    nginx_user: 'root root',
    log_level: 'info',
    anonymous_reports: 'off',
    plugins: 'key-auth,file-log,http-log,pre-function,request-termination,ai-proxy,metering-and-billing',
    ...(options.countsRequests && {
      nginx_http_log_format: "metering ''",
      nginx_proxy_access_log: `${requestsLog} metering`,
    }),
    pluginserver_names: 'js',
    pluginserver_js_socket: socket,
    pluginserver_js_query_cmd: `${server.join(' ')} --dump-all-plugins`,
    ...(options.installation === 'managed' && { pluginserver_js_start_cmd: `${command.join(' ')} --managed` }),
    ...(options.installation === 'bare' && { pluginserver_js_start_cmd: command.join(' ') }),
    ...options.conf,
  };
  const confFile = join(folder, 'kong.conf');
  await writeFile(
    confFile,
    `${Object.entries(conf)
      .map((pair) => pair.join('='))
      .join('\n')}\n`,
  );
  const serviceCommand = options.standIn ? [...options.standIn, socket] : [...command, '--workers', '1'];
  let service = options.installation === 'service' ? startService(serviceCommand) : undefined;
  if (service !== undefined) await service.listens;
  const run = async (what: string): Promise<void> => {
    const target = /^(?:stop|quit)\b/.test(what) ? ['-p', prefix] : ['-c', confFile];
    // Into a file: nginx keeps what it inherits, so that a pipe would not end.
    const output = join(folder, `${what.replaceAll(' ', '-')}.out`);
    const file = openSync(output, 'w');
    const [code] = (await once(
      spawn(KONG ?? 'kong', [...what.split(' '), ...target], {
        stdio: ['ignore', file, file],
        env: { ...process.env, ...options.kongEnv },
      }),
      'exit',
    )) as [number | null];
    closeSync(file);
    if (code !== 0) throw new Error(await readFile(output, 'utf8'));
  };
  return {
    proxy,
    adminUrl: `http://127.0.0.1:${admin}`,
    upstreamUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    statusUrl: `http://127.0.0.1:${status}`,
    folder,
    socket,
    run,
    async serverPids(which) {
      const processes = await processesOf(socket);
      return processes.filter((one) => one.isWorker === (which === 'serving')).map(({ pid }) => pid);
    },
    service: {
      stop: async () => service?.stop(),
      again: () => {
        if (service !== undefined) service = startService(serviceCommand);
      },
    },
    log: () => readFile(join(prefix, 'logs', 'error.log'), 'utf8'),
    async remove() {
      await run('stop').catch(() => undefined);
      await service?.stop();
      for (const { pid } of await processesOf(socket)) process.kill(pid, 'SIGTERM');
      upstream.close();
      upstream.closeAllConnections();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function databaseConf({ port, user, name }: { port: number; user: string; name: string }): Record<string, string> {
  return { database: 'postgres', pg_host: '127.0.0.1', pg_port: String(port), pg_user: user, pg_database: name };
}

function declarative(
  { endpoint, token, queue, services = [], isGlobal = false }: RealKongOptions,
  upstream: number,
): object {
  const metering = {
    name: 'metering-and-billing',
    config: {
      ingest_endpoint: endpoint,
      api_token: token ?? 'token-of-the-gateway',
      subject: { look_up_value_in: 'consumer', field: 'username' },
      meter_api_requests: true,
      ...(queue && { queue }),
    },
  };
  const nothing = { ...metering, config: { ...metering.config, meter_api_requests: false } };
  return {
    _format_version: '3.0',
    ...(isGlobal && { plugins: [nothing] }),
    consumers: [{ username: 'alice', keyauth_credentials: [{ key: 'alice-key' }] }],
    services: [
      {
        name: 'metered',
        url: `http://127.0.0.1:${upstream}`,
        routes: [{ name: 'metered', paths: ['/metered'] }],
        plugins: [{ name: 'key-auth' }, metering],
      },
      { name: 'free', url: `http://127.0.0.1:${upstream}`, routes: [{ name: 'free', paths: ['/free'] }] },
      ...services,
    ],
  };
}

async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{"ok":true}'));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** As systemd would: started again whenever it ends, and ended last. */
function startService([program = '', ...args]: readonly string[]): {
  readonly listens: Promise<void>;
  stop(): Promise<void>;
} {
  const { promise: listens, resolve } = Promise.withResolvers<void>();
  let isStopped = false;
  let child = start();
  function start() {
    const started = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    started.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('the plugin server listens')) resolve();
    });
    started.on('exit', () => {
      if (!isStopped) child = start();
    });
    return started;
  }
  return {
    listens,
    async stop() {
      isStopped = true;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Our processes of one socket, by their command lines; without the launchers. */
async function processesOf(socket: string): Promise<{ readonly pid: number; readonly isWorker: boolean }[]> {
  const { stdout } = await exec('ps', ['-eo', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes(socket) && /kong-plugin-server|frame-dropping-server/.test(line))
    .filter((line) => !line.includes('--dump'))
    .filter((line) => line.includes('--as-') || !line.includes('--managed'))
    .filter((line) => !/^\s*\d+ (?:sh|\/bin\/sh|ps) /.test(line))
    .map((line) => ({ pid: Number.parseInt(line, 10), isWorker: line.includes('--as-worker') }));
}
