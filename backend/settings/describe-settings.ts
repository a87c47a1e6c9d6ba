import { stringify } from 'yaml';
import type { Origin } from './read-settings.ts';
import { SECRET_SETTINGS, SETTING_NAMES, type SettingName, type Settings } from './schema.ts';

const ORIGIN_TEXT: Readonly<Record<Origin, string>> = {
  environment: 'environment',
  file: 'CONFIG_FILE',
  default: 'default',
};

/** The settings in force as YAML, each with its origin behind it. Secrets are only said to be set. */
export function describeSettings(settings: Settings, origins: Readonly<Record<SettingName, Origin>>): string {
  const lines = SETTING_NAMES.map((name) => {
    const key = name.toLowerCase();
    const value = settings[name];
    if (value === undefined) return `# ${key} is not set`;
    const plain = Array.isArray(value)
      ? value.map((one) => (Array.isArray(one) ? one.join('=') : one)).join(', ')
      : value;
    const text = SECRET_SETTINGS.has(name) ? '(hidden)' : stringify(plain).trim();
    return `${key}: ${text} # ${ORIGIN_TEXT[origins[name]]}`;
  });
  return `${lines.join('\n')}\n`;
}
