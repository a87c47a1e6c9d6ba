import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Schema } from '../../plugin/entitlement-enforcement/schema.ts';
import {
  type AccessOutcome,
  type AccessRequest,
  createMsgpackProtocol,
  createProtobufProtocol,
  kongConfig,
  type PluginServer,
  type PluginServerProtocol,
  playAccess,
  recording,
  startPluginServer,
  vary,
} from '../gateway-player/index.ts';

const RECORDED = recording('dbe4e209db780c1b37071a583e221304');
/** An AI call, whose counts a test replaces. */
const RECORDED_CHAT = recording('64ad5366269eef4879482e4397912d67');
const CONSUMER_ID = 'b32379d9-3d28-5683-a79c-72139be6e34f';

export interface EnforcingGatewayOptions {
  /** Configuration of the enforcing plugin. */
  readonly enforcement: Readonly<Record<string, unknown>>;
  /** Of the metering plugin; undefined: the gateway has none. */
  readonly metering?: Readonly<Record<string, unknown>> | undefined;
  readonly speaks?: 'ProtoBuf:1' | 'MsgPack:1';
}

/** How the upstream answers. */
export interface UpstreamAnswer {
  /** Of an AI model: what the prompt and the answer had. */
  readonly tokens?: { readonly prompt: number; readonly answer: number };
  /** Default 200. */
  readonly status?: number;
}

/** A request after its access phase. */
export type RequestUnderWay = AccessOutcome & {
  /** 200: it is with the upstream. */
  readonly status: number;
  /** Of its events. */
  readonly requestId: string;
  /**
   * The upstream has answered, and the log phase runs. @returns whether the metering plugin server heard of it; Kong loses
   * the entry of a request that ends while there is none
   */
  end(answer?: UpstreamAnswer): Promise<boolean>;
};

/** A gateway node with both plugins, each in its own plugin server, before an upstream that always answers 200. */
export interface EnforcingGateway {
  /** Sends one request and answers what the client gets. */
  request(username: string, more?: AccessRequest): Promise<AccessOutcome & { readonly status: number }>;
  /** The same, but for its end. */
  begin(username: string, more?: AccessRequest): Promise<RequestUnderWay>;
  /** Requests of a Consumer, one after the other: how many were let through. */
  passed(username: string, count: number): Promise<number>;
  killEnforcement(): Promise<void>;
  /** What the enforcing plugin server has put on disk. */
  saved(): string;
  /** When it did so last, milliseconds since 1970. */
  savedAtMs(): number;
  /** SIGTERM, as at the end of Kong. */
  stopEnforcement(): Promise<void>;
  /** As Kong does with a plugin server that has died. */
  restartEnforcement(): Promise<void>;
  killMetering(): Promise<void>;
  restartMetering(): Promise<void>;
  close(): Promise<void>;
}

let lastRequest = 0;

export async function startEnforcingGateway(options: EnforcingGatewayOptions): Promise<EnforcingGateway> {
  const { speaks = 'ProtoBuf:1' } = options;
  const folder = mkdtempSync(join(tmpdir(), 'enforcing-'));
  const env = { ENTITLEMENT_DIR: join(folder, 'shared'), METERING_SPOOL_DIR: join(folder, 'spool') };
  let enforcing: Side;
  let metering: Side | undefined;

  const startEnforcement = async (): Promise<void> => {
    const protocol = speaks === 'MsgPack:1' ? 'msgpack' : 'protobuf';
    const socketPath = join(folder, 'enforcement.sock');
    const pluginDir = resolve('dist/plugin/entitlement-enforcement');
    const server = await startPluginServer({ pluginDir, env, protocol, socketPath });
    const wire = speaks === 'MsgPack:1' ? createMsgpackProtocol : createProtobufProtocol;
    const config = kongConfig(options.enforcement, {}, Schema);
    enforcing = await side(server, wire(server.socketPath, 8), 'entitlement-enforcement', config);
  };
  const startMetering = async (): Promise<void> => {
    if (options.metering === undefined) return;
    const socketPath = join(folder, 'metering.sock');
    const server = await startPluginServer({ pluginDir: resolve('dist/plugin/metering-and-billing'), env, socketPath });
    const config = kongConfig(options.metering);
    metering = await side(server, createProtobufProtocol(server.socketPath, 8), 'metering-and-billing', config);
  };
  const ready = { enforcement: startEnforcement(), metering: startMetering() };
  const restart = (side: keyof typeof ready, start: () => Promise<void>): Promise<void> => {
    ready[side] = start();
    return ready[side];
  };
  await ready.enforcement;
  await ready.metering;
  /** Kong starts an instance in the server that has just come, and asks again. */
  const withInstance = async <T>(side: keyof typeof ready, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('no plugin instance'))) throw error;
      await ready[side];
      return call();
    }
  };

  const begin: EnforcingGateway['begin'] = async (username, more = {}) => {
    const consumer = { id: CONSUMER_ID, username };
    const startedAtMs = Date.now();
    const requestId = `r-${process.pid}-${++lastRequest}`;
    const outcome = await withInstance('enforcement', () =>
      playAccess({ protocol: enforcing.protocol, speaks }, enforcing.instanceId, { consumer, ...more }),
    );
    const end: RequestUnderWay['end'] = async (answer = {}) => {
      const entry = logEntry(outcome, answer, { requestId, consumer, startedAtMs });
      if (metering === undefined) return false;
      const { protocol, instanceId } = metering;
      return protocol
        .handleEvent(instanceId, 'log', () => entry)
        .then(
          () => true,
          () => false,
        );
    };
    return { ...outcome, status: outcome.exit?.status ?? 200, requestId, end };
  };
  const request: EnforcingGateway['request'] = async (username, more = {}) => {
    const begun = await begin(username, more);
    await begun.end();
    return begun;
  };

  return {
    request,
    begin,
    async passed(username, count) {
      let passed = 0;
      for (let sent = 0; sent < count; sent++) if ((await request(username)).status === 200) passed++;
      return passed;
    },
    killEnforcement: async () => void (await enforcing.server.kill()),
    saved: () =>
      readdirSync(env.ENTITLEMENT_DIR)
        .filter((name) => name.endsWith('.json'))
        .map((name) => readFileSync(join(env.ENTITLEMENT_DIR, name), 'utf8'))
        .join('\n'),
    savedAtMs: () =>
      Math.max(
        0,
        ...readdirSync(env.ENTITLEMENT_DIR)
          .filter((name) => name.endsWith('.under-way.json'))
          .map((name) => statSync(join(env.ENTITLEMENT_DIR, name)).mtimeMs),
      ),
    stopEnforcement: async () => void (await enforcing.server.terminate()),
    restartEnforcement: () => restart('enforcement', startEnforcement),
    killMetering: async () => void (await metering?.server.kill()),
    restartMetering: () => restart('metering', startMetering),
    async close() {
      for (const one of [enforcing, metering]) {
        one?.protocol.close();
        await one?.server.kill();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What `kong.log.serialize()` tells of it. */
function logEntry(
  { exit }: AccessOutcome,
  { tokens, status = 200 }: UpstreamAnswer,
  variation: { requestId: string; consumer: { id: string; username: string }; startedAtMs: number },
): string {
  const { json } = tokens === undefined ? RECORDED : RECORDED_CHAT;
  const entry = JSON.parse(vary(json, variation)) as {
    response: { status: number };
    source: string;
    ai?: { proxy: { usage: Record<string, number> } };
  };
  entry.response.status = exit?.status ?? status;
  entry.source = exit === undefined ? 'upstream' : 'kong';
  if (exit !== undefined) delete entry.ai;
  else if (tokens !== undefined && entry.ai !== undefined) {
    Object.assign(entry.ai.proxy.usage, { prompt_tokens: tokens.prompt, completion_tokens: tokens.answer });
  }
  return JSON.stringify(entry);
}

interface Side {
  readonly server: PluginServer;
  readonly protocol: PluginServerProtocol;
  readonly instanceId: number;
}

async function side(
  server: PluginServer,
  protocol: PluginServerProtocol,
  name: string,
  config: Record<string, unknown>,
): Promise<Side> {
  return { server, protocol, instanceId: await protocol.startInstance(name, config) };
}
