import type { SendHandle } from 'node:child_process';
import { fstatSync } from 'node:fs';
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { plainError } from './reports.ts';

/**
 * The bare handle of a listening socket. Node's own server accepts whatever comes, as long as it is open; a handle that
 * nobody accepts with keeps the socket open, and what connects waits in the kernel. Of Node's insides only what stands
 * here is used, and here only.
 */
export interface ListeningHandle {
  readonly fd: number;
  close(): void;
}

interface AcceptingHandle extends ListeningHandle {
  onconnection: (status: number, connection: object | undefined) => void;
  listen(backlog: number): number;
}

/** As what it can be sent to another process, which gets a copy. */
export function sendable(handle: ListeningHandle | undefined): SendHandle {
  return handle as unknown as SendHandle;
}

/** That of a server, which goes on accepting. */
export function handleOf(server: Server): ListeningHandle {
  return (server as Server & { readonly _handle: ListeningHandle })._handle;
}

/**
 * That of a socket which came from whoever started this process; nobody accepts with it.
 * @throws Error when the descriptor is no socket
 */
export function handleOfDescriptor(fd: number): ListeningHandle {
  if (!fstatSync(fd).isSocket()) throw plainError(`the descriptor ${fd} is no socket`);
  const holder = new Socket({ fd, readable: false, writable: false }) as Socket & { readonly _handle: ListeningHandle };
  return holder._handle;
}

/**
 * Accepts with this handle until it is closed, one connection in each turn of the event loop. They are not read from.
 * @param failed is told why one could not be accepted, or why none ever will
 */
export function acceptWith(
  handle: ListeningHandle,
  backlog: number,
  accepted: (connection: Socket) => void,
  failed: (error: Error) => void,
): void {
  const accepting = handle as AcceptingHandle;
  accepting.onconnection = (status, connection) => {
    if (connection === undefined) failed(new Error(getSystemErrorName(status)));
    else accepted(new Socket({ handle: connection, pauseOnCreate: true } as SocketConstructorOpts));
  };
  const status = accepting.listen(backlog);
  if (status !== 0) failed(new Error(getSystemErrorName(status)));
}
