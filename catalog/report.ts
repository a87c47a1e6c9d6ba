import type { Change } from './change.ts';

const VERBS: Record<Change['action'], string> = {
  create: 'create',
  update: 'update',
  'new version': 'new version of',
  delete: 'delete',
};

/** A change as people read it: what happens, and below it what differs. */
export function changeLines(change: Change): string[] {
  const { action, what, key, note, refusal } = change;
  const verb = refusal === undefined ? VERBS[action] : `refused: ${VERBS[action]}`;
  const detail = note === undefined ? '' : ` (${note})`;
  return [`${verb} ${what} ${key}${detail}`, ...change.differences.map((line) => `  ${line}`)];
}

/** How much is done, in the form that decK uses. */
export function summaryLines(changes: readonly Change[]): string[] {
  const count = (...actions: Change['action'][]) =>
    changes.filter(({ action, refusal }) => refusal === undefined && actions.includes(action)).length;
  const refused = changes.filter(({ refusal }) => refusal !== undefined).length;
  return [
    'Summary:',
    `  Created: ${count('create')}`,
    `  Updated: ${count('update', 'new version')}`,
    `  Deleted: ${count('delete')}`,
    ...(refused > 0 ? [`  Refused: ${refused}`] : []),
  ];
}
