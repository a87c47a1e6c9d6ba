import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { RequestProblem } from '../errors.ts';
import type { AppEnv } from './env.ts';

/** 413 for bodies over the limit, by Content-Length or, without one, by counting while reading. */
export function limitBody(maxBytes: number): MiddlewareHandler<AppEnv> {
  const refuse = () => new RequestProblem('content-too-large', `The body is larger than ${maxBytes} bytes.`);
  const counting: MiddlewareHandler<AppEnv> = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw refuse();
    },
  });
  return async function limitBody(c, next) {
    const length = c.req.header('content-length');
    // Looking at the body makes a web stream of it, which costs more than reading it: only where no length is given.
    if (length === undefined) return c.req.method === 'GET' || c.req.method === 'HEAD' ? next() : counting(c, next);
    if (Number.parseInt(length, 10) > maxBytes) throw refuse();
    await next();
  };
}
