import { filled } from '../platform/defined.ts';
import { readConfigFile } from './config-file.ts';
import { editDistance } from './nearest.ts';
import { SETTING_NAMES, type SettingName, type Settings, settingsSchema } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a setting's value comes from. */
export type Origin = 'environment' | 'file' | 'default';

/** All settings with what is worth knowing about them, or all mistakes. */
export interface ReadSettings {
  /** undefined: there are problems. */
  settings: Settings | undefined;
  problems: readonly string[];
  /** As they were given, unchecked. */
  texts: Readonly<Partial<Record<SettingName, string>>>;
  origins: Readonly<Record<SettingName, Origin>>;
  /** The path that CONFIG_FILE has. */
  file: string | undefined;
}

/** The one variable that is no setting: it says where more of them are. */
const CONFIG_FILE = 'CONFIG_FILE';

/** Shorter names are too close to words that mean something else. */
const SHORTEST_MISSPELT = 6;

/**
 * Reads all settings: from the environment, then from the file that CONFIG_FILE names, then the defaults. Empty values
 * count as unset. The problems name the setting, where it was set, and the rule, never a value.
 */
export function readSettings(environment: Environment): ReadSettings {
  const file = filled(environment[CONFIG_FILE]);
  const fromFile = file === undefined ? { texts: {}, problems: [] } : readConfigFile(file);
  const origins = {} as Record<SettingName, Origin>;
  const texts: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const ofEnvironment = filled(environment[name]);
    const ofFile = filled(fromFile.texts[name]);
    const text = ofEnvironment ?? ofFile;
    if (text !== undefined) texts[name] = text;
    origins[name] = ofEnvironment !== undefined ? 'environment' : ofFile !== undefined ? 'file' : 'default';
  }
  const inFile = `CONFIG_FILE ${file}`;
  const problems = fromFile.problems.map((problem) => `${inFile}: ${problem}`);
  const result = settingsSchema.safeParse(texts);
  for (const { path, message } of result.success ? [] : result.error.issues) {
    const name = path[0] as SettingName;
    const place = origins[name] === 'file' ? `${inFile}: ${name.toLowerCase()}` : `environment variable ${name}`;
    problems.push(`${place}: ${message}`);
  }
  return { settings: problems.length === 0 ? result.data : undefined, problems, texts, origins, file };
}

/**
 * Variables that are likely meant to be settings and are none. They are told and not refused: the environment is shared
 * with other programs.
 */
export function misspeltVariables(environment: Environment): { variable: string; meant: SettingName }[] {
  const known = new Set<string>([...SETTING_NAMES, CONFIG_FILE]);
  return Object.keys(environment).flatMap((variable) => {
    if (known.has(variable) || variable.length < SHORTEST_MISSPELT) return [];
    const meant = SETTING_NAMES.find(
      (name) => name.length >= SHORTEST_MISSPELT && editDistance(name, variable.toUpperCase()) <= 2,
    );
    return meant === undefined ? [] : [{ variable, meant }];
  });
}
