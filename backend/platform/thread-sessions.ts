import { type MessagePort, parentPort } from 'node:worker_threads';
import { SESSION_ENDS, type SessionStart } from './threads.ts';

/**
 * The other side of `Threads`: what a thread's program begins with.
 * @param open begins a session; what it throws ends the thread
 */
export function serveSessions<Data>(open: (data: Data, port: MessagePort) => void): void {
  (parentPort as MessagePort).on('message', ({ data, port }: SessionStart) => open(data as Data, port));
}

/** The last thing that a session does: whoever opened it knows then that nothing of it is left in the thread. */
export function endSession(port: MessagePort): void {
  port.postMessage(SESSION_ENDS);
  port.close();
}
