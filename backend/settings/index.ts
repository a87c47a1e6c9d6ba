/** What the backend is told by its operator: names, rules, and where the values come from. */
export { describeSettings } from './describe-settings.ts';
export { type Environment, misspeltVariables, readSettings } from './read-settings.ts';
export { SECRET_SETTINGS, SETTING_NAMES, type SettingName, type Settings } from './schema.ts';
