import type { PluginServerProtocol } from './plugin-server-protocol.ts';

/** What a request brings to the access phase. */
export interface AccessRequest {
  readonly consumer?: { readonly id: string; readonly username: string; readonly custom_id?: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** kong.ctx.shared, as other plugins have filled it. */
  readonly shared?: Readonly<Record<string, unknown>>;
}

/** What the client gets, as far as the access phase decides. */
export interface AccessOutcome {
  /** undefined: the request goes on to the upstream. */
  readonly exit:
    | { readonly status: number; readonly body: string; readonly headers: Record<string, string> }
    | undefined;
  /** Set on the answer that comes later. */
  readonly headers: Readonly<Record<string, string>>;
  /** Calls to Kong, but for the one that ended the request. */
  readonly pdkCalls: readonly string[];
}

/** Ends the event as Kong does on `kong.response.exit`: the plugin server hears no more of it. */
class RequestEnded extends Error {}

/**
 * Plays the access phase of one request. A plugin server that cannot be reached is what Kong 3.9 was measured to make of
 * it: over ProtoBuf:1 the client gets 500, over MsgPack:1 the request passes.
 */
export async function playAccess(
  { protocol, speaks }: { readonly protocol: PluginServerProtocol; readonly speaks: 'ProtoBuf:1' | 'MsgPack:1' },
  instanceId: number,
  request: AccessRequest,
): Promise<AccessOutcome> {
  let exit: AccessOutcome['exit'];
  const headers: Record<string, string> = {};
  const pdkCalls: string[] = [];
  const answer = (method: string, args: readonly unknown[]): unknown => {
    if (method === 'kong.response.exit') {
      const [status, body, more] = args as [number, string | undefined, Record<string, string> | undefined];
      exit = { status, body: Buffer.from(body ?? '').toString(), headers: more ?? {} };
      throw new RequestEnded();
    }
    pdkCalls.push(method);
    const [first] = args;
    switch (method) {
      case 'kong.client.get_consumer':
        return request.consumer;
      case 'kong.request.get_header':
        return request.headers?.[String(first).toLowerCase()];
      case 'kong.request.get_raw_body':
        return request.body;
      case 'kong.request.get_query_arg':
        return request.query?.[String(first)];
      case 'kong.ctx.shared.get':
        return request.shared?.[String(first)];
      case 'kong.response.set_headers':
        Object.assign(headers, first);
        return undefined;
      default:
        throw new Error(`the player does not answer ${method} in the access phase`);
    }
  };
  try {
    await protocol.handleEvent(instanceId, 'access', answer);
  } catch (error) {
    if (error instanceof RequestEnded) return { exit, headers, pdkCalls };
    if (!isUnreachable(error)) throw error;
    const failed = { status: 500, body: '{"message":"An unexpected error occurred"}', headers: {} };
    return { exit: speaks === 'ProtoBuf:1' ? failed : undefined, headers, pdkCalls };
  }
  return { exit, headers, pdkCalls };
}

function isUnreachable(error: unknown): boolean {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOENT' ||
    code === 'EPIPE' ||
    code === 'ECONNRESET' ||
    /clos|did not answer/i.test(message)
  );
}
