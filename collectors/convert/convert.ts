import { parseDocument, stringify } from 'yaml';
import { translateBloblang } from './bloblang.ts';
import { Untranslatable } from './bloblang-tokens.ts';

/** A configuration of ours, and what of the other one is not in it, or is to be looked at. */
export interface Converted {
  readonly yaml: string;
  readonly notes: readonly string[];
}

type Block = Readonly<Record<string, unknown>>;

/** The inputs of the documented pages: what they may say, and the preset for when their mapping cannot be translated. */
const INPUTS: Readonly<Record<string, { readonly keys: readonly string[]; readonly preset: string }>> = {
  otel_log: { keys: ['address', 'timeout'], preset: 'opentelemetry-api-calls' },
  prometheus: { keys: ['url', 'queries', 'schedule', 'query_offset', 'headers'], preset: 'prometheus-series' },
  run_ai: {
    keys: [
      'url',
      'app_id',
      'app_secret',
      'schedule',
      'metrics_offset',
      'resource_type',
      'metrics',
      'page_size',
      'http',
    ],
    preset: 'run-ai-workload',
  },
  schedule: { keys: ['interval', 'input'], preset: 'kubernetes-pod-exec-time' },
  aws_s3: {
    keys: [
      'bucket',
      'region',
      'prefix',
      'endpoint',
      'force_path_style_urls',
      'delete_objects',
      'credentials',
      'scanner',
    ],
    preset: 's3-rows',
  },
};
const OUTPUTS = ['openmeter', 'http_client'] as const;
const OUTPUT_KEYS = ['url', 'token', 'verb', 'headers', 'timeout', 'max_in_flight', 'batching'];
/** Its own way of keeping and retrying takes the place of these. */
const NOT_NEEDED = new Set(['retries', 'retry_period', 'max_retry_backoff', 'backoff_on', 'drop_on', 'successful_on']);
/** Processors that check, log and drop: what is no event is kept as a dead letter here. */
const CHECKS = new Set(['json_schema', 'log', 'catch', 'try', 'switch', 'noop']);

/**
 * Reads a configuration for OpenMeter's collector (Redpanda Connect, Benthos) as the documented pages have it, and writes one
 * of ours.
 * @throws Error when it is no YAML, or has no input that is known here
 */
export function convert(text: string): Converted {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message.split('\n', 1)[0]);
  const old = asBlock(document.toJS({ maxAliasCount: 100 }));
  const notes: string[] = [];
  const [kind, settings] = inputOf(asBlock(old['input']), notes);
  notes.push(
    `name: "${kind.replaceAll('_', '-')}" was made up; it is part of every id: choose once, and never change it`,
  );
  const converted = {
    name: kind.replaceAll('_', '-'),
    input: { [kind]: settings },
    pipeline: { processors: [processorOf(old, kind, notes)] },
    output: outputOf(old['output'], notes),
    ...bufferOf(asBlock(old['buffer']), notes),
    ...httpOf(asBlock(old['http'])),
  };
  for (const key of Object.keys(old)) {
    if (!['input', 'pipeline', 'output', 'buffer', 'http'].includes(key)) notes.push(`${key}: is left out`);
  }
  return { yaml: stringify(converted, { lineWidth: 120 }), notes };
}

function inputOf(input: Block, notes: string[]): [string, Block] {
  const found = Object.keys(input).find((name) => Object.hasOwn(INPUTS, name));
  if (found === undefined) {
    const there = Object.keys(input);
    throw new Error(
      `input: must be one of ${Object.keys(INPUTS).join(', ')}; there is ${there.length === 0 ? 'none' : there.join(', ')}`,
    );
  }
  for (const key of Object.keys(input).filter((name) => name !== found && name !== 'processors'))
    notes.push(`input.${key}: is left out`);
  const settings = { ...picked(asBlock(input[found]), INPUTS[found]?.keys ?? [], `input.${found}`, notes) };
  const { prefix } = settings;
  if (found === 'aws_s3' && typeof prefix === 'string' && prefix.includes('${!')) {
    settings['prefix'] = prefix.slice(0, prefix.indexOf('${!'));
    notes.push('input.aws_s3.prefix: what is computed is left out; {yyyy}, {MM}, {dd} and {HH} are read here');
  }
  // What that collector does; applications of today's kind have a client's credentials.
  if (found === 'run_ai') {
    settings['grant'] = 'app_token';
    notes.push(
      'input.run_ai.grant: is app_token, as before, which Run:ai deprecates: leave it out for new credentials',
    );
  }
  return [found, settings];
}

function processorOf(old: Block, kind: string, notes: string[]): Block {
  const processors = [
    ...asList(asBlock(old['input'])['processors']),
    ...asList(asBlock(old['pipeline'])['processors']),
  ].map(asBlock);
  const mappings: string[] = [];
  for (const processor of processors) {
    for (const [name, value] of Object.entries(processor)) {
      if ((name === 'mapping' || name === 'bloblang') && typeof value === 'string') mappings.push(value);
      else if (CHECKS.has(name)) notes.push(`pipeline: ${name} is left out; what is no event is kept as a dead letter`);
      else notes.push(`pipeline: ${name} is left out`);
    }
  }
  const preset = INPUTS[kind]?.preset ?? '';
  const [mapping] = mappings;
  if (mapping === undefined || mappings.length > 1) {
    notes.push(
      `pipeline: has ${mappings.length} mappings, of which one is read; the preset ${preset} takes their place`,
    );
    return { preset };
  }
  try {
    const { jsonata, notes: own } = translateBloblang(mapping);
    notes.push(...own.map((note) => `pipeline: ${note}`));
    return { jsonata };
  } catch (error) {
    if (!(error instanceof Untranslatable)) throw error;
    notes.push(
      `pipeline: the mapping could not be translated (${error.message}); the preset ${preset} takes its place`,
    );
    return { preset };
  }
}

function outputOf(given: unknown, notes: string[]): Block {
  const found = findOutput(given);
  if (found === undefined) {
    notes.push('output: has neither openmeter nor http_client; fill in where events go');
    return { openmeter: { url: '${OPENMETER_URL}', token: '${OPENMETER_TOKEN}' } };
  }
  const [name, block] = found;
  const wanted = Object.fromEntries(Object.entries(block).filter(([key]) => !NOT_NEEDED.has(key)));
  const settings = { ...picked(wanted, OUTPUT_KEYS, `output.${name}`, notes) };
  const batching = asBlock(settings['batching']);
  if (Object.keys(batching).length > 0)
    settings['batching'] = picked(batching, ['count', 'period'], `output.${name}.batching`, []);
  return { [name]: settings };
}

/** Outputs stand within others that retry, drop or choose. */
function findOutput(value: unknown): [string, Block] | undefined {
  if (Array.isArray(value)) return value.map(findOutput).find((found) => found !== undefined);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name of OUTPUTS) if (name in value) return [name, asBlock((value as Block)[name])];
  return Object.values(value)
    .map(findOutput)
    .find((found) => found !== undefined);
}

function bufferOf(buffer: Block, notes: string[]): Block {
  const { path } = asBlock(buffer['sqlite']);
  for (const key of Object.keys(buffer).filter((name) => name !== 'sqlite' && name !== 'none')) {
    notes.push(`buffer.${key}: is left out; events are kept on disk`);
  }
  if (typeof path !== 'string') return {};
  notes.push('buffer.sqlite.path: the file is another one than the old; empty the old buffer first');
  return { buffer: { sqlite: { path: `${path}.collector` } } };
}

function httpOf({ address }: Block): Block {
  return typeof address === 'string' ? { http: { address } } : {};
}

function picked(block: Block, keys: readonly string[], path: string, notes: string[]): Block {
  for (const key of Object.keys(block).filter((name) => !keys.includes(name)))
    notes.push(`${path}.${key}: is left out`);
  return Object.fromEntries(Object.entries(block).filter(([key]) => keys.includes(key)));
}

function asBlock(value: unknown): Block {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Block) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
