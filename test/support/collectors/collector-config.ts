/** What is particular about a collector; the rest is the same for all of tests and benches. */
export interface CollectorParts {
  readonly name?: string;
  /** YAML of what stands below `input:`. */
  readonly input: string;
  /** A JSONata mapping, or the name of a preset. */
  readonly mapping?: string;
  readonly preset?: string;
  /** Of the endpoint. */
  readonly url: string;
  /** More settings of the endpoint. */
  readonly output?: string;
  /** How events are gathered; default large and at once. */
  readonly batching?: string;
  /** The file of the spool; more settings of it. */
  readonly spool: string;
  readonly buffer?: string;
  /** Whether it serves metrics, on a port of the system's choice. */
  readonly http?: boolean;
}

/** A configuration as people write it. */
export function collectorConfig(parts: CollectorParts): string {
  const { name = 'test', input, mapping, preset, url, output = '', spool, buffer = '', http = true } = parts;
  const { batching = '{ count: 1000, period: 10ms }' } = parts;
  const processor = preset === undefined ? `jsonata: ${JSON.stringify(mapping)}` : `preset: ${preset}`;
  return `
name: ${name}
input:
${input.trim().replaceAll(/^/gm, '  ')}
pipeline: { processors: [{ ${processor} }] }
output: { openmeter: { url: "${url}", batching: ${batching} ${output} } }
buffer: { sqlite: { path: "${spool}" ${buffer} } }
http: { enabled: ${http}, address: "127.0.0.1:0" }
`;
}
