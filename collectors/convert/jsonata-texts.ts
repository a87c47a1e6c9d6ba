/** What the sources here call what OpenMeter's collector says about a message. */
const META: Readonly<Record<string, string>> = {
  schedule_time: 'interval_start',
  schedule_interval: 'duration_seconds',
};

/** @param depth how many objects are around it */
export function objectText(fields: readonly (readonly [string, string])[], depth: number): string {
  if (fields.length === 0) return '{}';
  const pad = '  '.repeat(depth + 1);
  const lines = fields.map(([name, value]) => `${pad}${JSON.stringify(name)}: ${value}`);
  return `{\n${lines.join(',\n')}\n${'  '.repeat(depth)}}`;
}

export function eitherText(left: string, right: string): string {
  return `($exists(${left}) ? ${left} : ${right})`;
}

export function metaText(name: string): string {
  return `$meta(${JSON.stringify(META[name] ?? name)})`;
}

/** As JSONata names a field; `and`, `or` and `in` are its operators. */
export function pathName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) && !['and', 'or', 'in', 'true', 'false', 'null'].includes(name)
    ? name
    : `\`${name}\``;
}
