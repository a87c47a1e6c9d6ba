import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { nearestName } from './nearest.ts';
import { SETTING_NAMES, type SettingName } from './schema.ts';

/** Settings as text, and what is wrong with the rest of the file: sentences without values. */
export interface ConfigFile {
  texts: Partial<Record<SettingName, string>>;
  problems: string[];
}

/** The names of the settings as they stand in the file. */
const FILE_KEYS = new Map(SETTING_NAMES.map((name) => [name.toLowerCase(), name]));

/**
 * Reads a YAML file of settings: one map, a setting's name in lower case with its value. Values are taken as they are
 * written, without YAML's own types: a token of digits stays what it is. An empty value, `null` and `~` are unset.
 */
export function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { texts: {}, problems: ['cannot be read'] };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, schema: 'failsafe' });
  // The parser's sentences may quote the file, which may hold secrets; its codes do not.
  const problems = [...document.errors, ...document.warnings].map(({ code, pos }) => {
    const { line, col } = lineCounter.linePos(pos[0]);
    return `line ${line}, column ${col}: is not valid YAML (${code})`;
  });
  const { contents } = document;
  if (problems.length > 0 || contents === null) return { texts: {}, problems };
  if (!isMap(contents)) return { texts: {}, problems: ['must be a map of settings'] };
  const texts: ConfigFile['texts'] = {};
  for (const { key, value } of contents.items) {
    const found = isScalar(key) ? readKey(String(key.value)) : { problem: 'every key must be the name of a setting' };
    if ('problem' in found) problems.push(found.problem);
    else if (isScalar(value) || value === null) texts[found.name] = textOf(value);
    else problems.push(`${found.name.toLowerCase()}: must be a single value`);
  }
  return { texts, problems };
}

function readKey(key: string): { name: SettingName } | { problem: string } {
  const name = FILE_KEYS.get(key);
  if (name !== undefined) return { name };
  const nearest = nearestName(key.toLowerCase(), [...FILE_KEYS.keys()]);
  return { problem: `${key}: there is no such setting${nearest === undefined ? '' : `; did you mean ${nearest}?`}` };
}

function textOf(value: unknown): string {
  if (!isScalar(value)) return '';
  const isPlain = value.type === 'PLAIN';
  const text = String(value.value);
  return isPlain && /^(?:null|~)$/i.test(text) ? '' : text;
}
