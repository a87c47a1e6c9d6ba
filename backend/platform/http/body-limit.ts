import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { RequestProblem } from '../errors.ts';
import type { AppEnv } from './env.ts';

/** 413 for bodies over the limit, by Content-Length or, without one, by counting while reading. */
export function limitBody(maxBytes: number): MiddlewareHandler<AppEnv> {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new RequestProblem('content-too-large', `The body is larger than ${maxBytes} bytes.`);
    },
  });
}
