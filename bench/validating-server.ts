// A Hono route that takes an event, parses and validates it, and forgets it: the limit for single events over HTTP.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { meteringEventSchema } from '../backend/metering/events/schema.ts';

const app = new Hono();
app.post('/v3/openmeter/events', async (c) => {
  const result = meteringEventSchema.safeParse(await c.req.json());
  return c.body(null, result.success ? 202 : 400);
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
