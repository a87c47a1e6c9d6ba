/** What the OpenAPI document says of an operation. */
import { z } from '@hono/zod-openapi';
import type { Endpoint, NotImplemented, ResponseDoc } from './endpoint.ts';
import { badRequestSchema, problemSchema } from './problem-schema.ts';
import type { Access } from './roles.ts';

const UNSERVED_TAG = 'Not served';

export function documentation<Params extends z.ZodObject, Body extends z.ZodType>(
  endpoint: Endpoint<Params, Body>,
  takesSessions: boolean,
) {
  const secured = endpoint.access !== 'public';
  const bodies = endpoint.rawBody ?? (endpoint.body && { 'application/json': endpoint.body });
  return {
    method: endpoint.method,
    path: endpoint.path,
    operationId: endpoint.operationId,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: endpoint.description ?? `${endpoint.summary}.`,
    ...security(endpoint.access, takesSessions),
    request: {
      ...(endpoint.params && { params: endpoint.params }),
      ...(endpoint.query && { query: endpoint.query.schema }),
      ...(bodies && {
        body: {
          required: true,
          content: Object.fromEntries(Object.entries(bodies).map(([type, schema]) => [type, { schema }])),
        },
      }),
    },
    responses: {
      ...endpoint.responses,
      400: problem('Bad request', badRequestSchema),
      ...(secured && refusals()),
      ...(endpoint.params && { 404: problem('Not found') }),
    },
  };
}

/** Whom it is for; "no security" is said too, since silence would mean the document's own, of which there is none. */
function security(access: Access | 'public', takesSessions: boolean) {
  if (access === 'public') return { security: [] };
  return { security: [{ bearer: [] }, ...(takesSessions ? [{ session: [] }] : [])], 'x-access': access };
}

export function unservedDocumentation(
  { method, path, operationId, access, reason }: NotImplemented,
  takesSessions: boolean,
) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    method,
    path,
    operationId,
    tags: [UNSERVED_TAG],
    summary: `Not served: ${operationId}`,
    description: `This server answers 501: ${reason}.`,
    ...security(access, takesSessions),
    ...(names.length > 0 && {
      request: { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) },
    }),
    responses: { ...refusals(), 501: problem('Not implemented') },
  };
}

function problem(description: string, schema: z.ZodType = problemSchema): ResponseDoc {
  return { description, content: { 'application/problem+json': { schema } } };
}

function refusals() {
  return { 401: problem('Unauthorized'), 403: problem('Forbidden'), 429: problem('Too many requests') };
}
