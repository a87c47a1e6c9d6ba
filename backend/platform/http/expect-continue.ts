import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/**
 * A client that sends `Expect: 100-continue` waits to be told that its body is wanted. Node would say so at once, before
 * anybody knows who asks; here whoever reads the body says it, and who is refused hears nothing but the refusal.
 */
export function continueWhenRead(server: Pick<Server, 'on' | 'emit'>): void {
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    waiting.set(incoming, outgoing);
    server.emit('request', incoming, outgoing);
  });
}

/** For a body that is about to be read. */
export function tellToContinue(incoming: IncomingMessage): void {
  waiting.get(incoming)?.writeContinue();
  waiting.delete(incoming);
}
