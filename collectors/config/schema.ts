import { z } from 'zod';
import { NODE_NAME } from '../../delivery/names.ts';
import type { SourceKinds } from '../core/source-kind.ts';
import { compileMapping, type Mapping } from '../mapping/mapping.ts';
import { PRESETS } from '../mapping/presets.ts';
import { address, duration, flag, httpUrl, token, wholeNumber } from './values.ts';

const HOUR_MS = 3_600_000;
const GIB = 1024 * 1024 * 1024;

const batching = z
  .strictObject({
    count: wholeNumber(1, 1000).default(100),
    period: duration(0, 60_000).default(1000),
    // Ours is always one array; the block is read so that documented files can stay.
    processors: z.unknown().optional(),
  })
  .default({ count: 100, period: 1000 });

const sending = {
  timeout: duration(100, HOUR_MS).default(30_000),
  max_in_flight: wholeNumber(1, 64).default(4),
  batching,
  tls: z.strictObject({ skip_cert_verify: flag.default(false) }).default({ skip_cert_verify: false }),
};

const openmeterOutput = z
  .strictObject({ url: httpUrl, token: token.optional(), ...sending })
  .transform(({ url, ...rest }) => ({
    ...rest,
    url: new URL(`${url.replace(/\/+$/, '').replace(/\/events$/, '')}/events`),
  }));

/** What comes in the documented files; the type of the content is the collector's business. */
const SENT_HEADERS = new Set(['authorization', 'content-type']);

/** The block of the documented pages. What it says of retries has no effect: nothing is ever given up here. */
const httpClientOutput = z
  .strictObject({
    url: httpUrl,
    verb: z.literal('POST', { error: 'must be POST' }).default('POST'),
    headers: z.record(z.string(), z.string()).default({}),
    ...sending,
    max_in_flight: wholeNumber(1, 64).default(64),
    retries: z.unknown().optional(),
    retry_period: z.unknown().optional(),
    max_retry_backoff: z.unknown().optional(),
    backoff_on: z.unknown().optional(),
    drop_on: z.unknown().optional(),
  })
  .transform(({ url, headers, ...rest }, context) => {
    for (const name of Object.keys(headers)) {
      if (SENT_HEADERS.has(name.toLowerCase())) continue;
      context.addIssue({ code: 'custom', path: ['headers', name], message: 'is not sent: only Authorization is' });
    }
    const own = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization')?.[1];
    const bearer = own === undefined ? undefined : /^Bearer ([\x21-\x7e]*)$/.exec(own)?.[1];
    if (own !== undefined && bearer === undefined) {
      context.addIssue({ code: 'custom', path: ['headers'], message: 'Authorization must be "Bearer" and a token' });
    }
    return { ...rest, url: new URL(url), token: bearer === '' ? undefined : bearer };
  });

const outputSchema = z
  .strictObject({ openmeter: openmeterOutput.optional(), http_client: httpClientOutput.optional() })
  .transform(({ openmeter, http_client: httpClient }, context) => {
    const output = openmeter ?? httpClient;
    if (output !== undefined && (openmeter === undefined || httpClient === undefined)) {
      return {
        url: output.url,
        token: output.token,
        timeoutMs: output.timeout,
        sslVerify: !output.tls.skip_cert_verify,
        maxInFlight: output.max_in_flight,
        batching: { count: output.batching.count, periodMs: output.batching.period },
      };
    }
    context.addIssue({ code: 'custom', message: 'must have either openmeter or http_client' });
    return z.NEVER;
  });

const BLOBLANG = `is Bloblang, which is not read here: use jsonata, or a preset (${Object.keys(PRESETS).join(', ')}); --convert rewrites the documented ones`;

const processorSchema = z
  .strictObject({
    jsonata: z.string({ error: 'must be a JSONata expression' }).optional(),
    preset: z.string().optional(),
    mapping: z.undefined({ error: BLOBLANG }).optional(),
    bloblang: z.undefined({ error: BLOBLANG }).optional(),
  })
  .transform((processor, context): Mapping => {
    const isPreset = processor.jsonata === undefined;
    const source = processor.jsonata ?? presetOf(processor.preset);
    try {
      if (source !== undefined && (isPreset || processor.preset === undefined)) return compileMapping(source);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        path: ['jsonata'],
        message: error instanceof Error ? error.message : String(error),
      });
      return z.NEVER;
    }
    const known = Object.keys(PRESETS).join(', ');
    context.addIssue({ code: 'custom', message: `must have either jsonata, or as preset one of ${known}` });
    return z.NEVER;
  });

function presetOf(name: string | undefined): string | undefined {
  return name !== undefined && Object.hasOwn(PRESETS, name) ? PRESETS[name as keyof typeof PRESETS] : undefined;
}

const pipelineSchema = z.strictObject({
  processors: z.tuple([processorSchema], { error: 'must have one processor' }),
});

function inputSchema(kinds: SourceKinds) {
  const named = Object.entries(kinds).map(([name, kind]) => [name, kind.schema.optional()] as const);
  const known = Object.keys(kinds).join(', ');
  return z.strictObject(Object.fromEntries(named)).transform((input, context) => {
    const given = Object.entries(input).filter(([, settings]) => settings !== undefined);
    const [only] = given;
    const kind = only === undefined ? undefined : kinds[only[0]];
    if (only !== undefined && kind !== undefined && given.length === 1) {
      return { kind, kindName: kind.name ?? only[0], settings: only[1] };
    }
    context.addIssue({ code: 'custom', message: `must have one of ${known}` });
    return z.NEVER;
  });
}

const NAME_RULE = 'must have 1 to 100 letters, digits or . : @ _ -';
const nameSchema = z.string({ error: NAME_RULE }).regex(NODE_NAME, { error: NAME_RULE }).max(100, { error: NAME_RULE });

const standing = {
  buffer: z
    .strictObject({
      sqlite: z.strictObject({ path: z.string().min(1), max_bytes: wholeNumber(1024 * 1024, 1024 * GIB).default(GIB) }),
    })
    .default({ sqlite: { path: './collector.sqlite', max_bytes: GIB } }),
  http: z.strictObject({ address: address, enabled: flag.default(true) }).default({
    address: { host: '127.0.0.1', port: 4195 },
    enabled: true,
  }),
};

/** One collector at the top of the file, or several under `collectors`, which may share an output. */
export function configSchema(kinds: SourceKinds) {
  const parts = { name: nameSchema, input: inputSchema(kinds), pipeline: pipelineSchema };
  const single = z
    .strictObject({ ...parts, output: outputSchema, ...standing })
    .transform(({ buffer, http, ...one }) => ({
      buffer,
      http,
      collectors: [one],
    }));
  const several = z
    .strictObject({
      collectors: z
        .array(z.strictObject({ ...parts, output: outputSchema.optional() }))
        .min(1)
        .max(100),
      output: outputSchema.optional(),
      ...standing,
    })
    .transform(({ collectors, output: shared, ...rest }, context) => {
      const names = new Set<string>();
      const complete = collectors.flatMap(({ output = shared, ...one }, index) => {
        const path = ['collectors', index];
        if (names.has(one.name))
          context.addIssue({ code: 'custom', path: [...path, 'name'], message: 'is the name of another collector' });
        names.add(one.name);
        if (output === undefined)
          context.addIssue({ code: 'custom', path: [...path, 'output'], message: 'is missing' });
        return output === undefined ? [] : [{ ...one, output }];
      });
      return { ...rest, collectors: complete };
    });
  return { single, several };
}
