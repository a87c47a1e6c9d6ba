import { createProtobufProtocol } from './protobuf-protocol.ts';

/** One worker of Kong with one plugin configuration: it has no instance until its first event. */
export interface KongWorker {
  /**
   * The log phase of one request. Resolves with what becomes of it, never rejects: the client has its answer already.
   * `lost`: Kong gives the event up, with a line in its error log.
   */
  log(entryJson: string): Promise<'logged' | 'lost'>;
  /** What Kong's error log would say of the lost ones. */
  readonly errors: readonly string[];
  close(): void;
}

/** What makes Kong start its instance again, and repeat the event; see `handle_event` in its pb_rpc.lua. */
const BEGIN_ANEW = /no plugin instance|it closed the connection/;
/** Kong has no bound here. */
const MAX_TRIES = 50;

/**
 * Plays what a Kong worker does over `ProtoBuf:1`: the instance is started by the first event that needs it, others wait
 * for it; an event whose connection ends is begun anew with a new instance; and an event is given up when nobody
 * listens, when a connection breaks off, and when the instance cannot be started.
 */
export function startKongWorker(socketPath: string, name: string, config: object, connections = 8): KongWorker {
  const protocol = createProtobufProtocol(socketPath, connections);
  const errors: string[] = [];
  let instance: Promise<number> | undefined;

  async function instanceId(): Promise<number> {
    instance ??= protocol.startInstance(name, config);
    const starting = instance;
    try {
      return await starting;
    } catch (error) {
      if (instance === starting) instance = undefined;
      throw error;
    }
  }

  async function handle(entryJson: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      const id = await instanceId();
      try {
        return await protocol.handleEvent(id, 'log', () => entryJson);
      } catch (error) {
        if (tries >= MAX_TRIES || !BEGIN_ANEW.test(String(error))) throw error;
        instance = undefined;
      }
    }
  }

  return {
    errors,
    async log(entryJson) {
      try {
        await handle(entryJson);
        return 'logged';
      } catch (error) {
        errors.push(String(error));
        return 'lost';
      }
    },
    close: () => protocol.close(),
  };
}
