import { z } from 'zod';
import { addonBody, planAddonBody, planBody } from './bodies.ts';
import type { Planning } from './change.ts';
import { differences } from './compare.ts';
import { at, CatalogError } from './errors.ts';
import { idOf } from './references.ts';
import type { Addon, Plan } from './schema.ts';
import { readPlanAddons } from './server-catalog.ts';
import type { VersionKind } from './version-changes.ts';

const assigned = z.object({
  validation_errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});

export function addonKind({ ids }: Planning): VersionKind<Addon> {
  return {
    what: 'add-on',
    path: '/addons',
    fixed: ['currency'],
    body: (addon) => addonBody(addon, ids),
    complete: async () => {},
    onPublished: (key, id) => void ids.addons.set(key, id),
  };
}

export function planKind(planning: Planning): VersionKind<Plan> {
  return {
    what: 'plan',
    path: '/plans',
    fixed: ['currency', 'billing_cadence'],
    body: (plan) => planBody(plan, planning.ids),
    complete: (id, plan) => writeAddons(id, plan, planning),
    onPublished: () => {},
  };
}

/** Makes the add-ons of a draft plan those of the file. A new version may have begun with those of the one before. */
async function writeAddons(planId: string, plan: Plan, { api, ids, server }: Planning): Promise<void> {
  const keys = new Map([...server.addons].flatMap(([key, versions]) => versions.map(({ id }) => [id, key] as const)));
  for (const [key, id] of ids.addons) keys.set(id, key);
  const wanted = plan.addons ?? [];
  const kept = new Set<string>();
  for (const { id, addonId, content } of await readPlanAddons(api, planId, keys)) {
    const index = wanted.findIndex(({ addon }) => addon.key === content.addon.key);
    const target = wanted[index];
    const isSameVersion = target !== undefined && addonId === idOf(ids, 'addons', target.addon.key);
    if (target === undefined || !isSameVersion) {
      await api.send('DELETE', `/plans/${planId}/addons/${id}`);
      continue;
    }
    kept.add(target.addon.key);
    if (differences(content, target).length === 0) continue;
    const { addon: _addon, ...body } = target;
    await at(['addons', index], async () =>
      refuseUnfit(plan, await api.send('PUT', `/plans/${planId}/addons/${id}`, body)),
    );
  }
  for (const [index, target] of wanted.entries()) {
    if (kept.has(target.addon.key)) continue;
    await at(['addons', index], async () =>
      refuseUnfit(plan, await api.send('POST', `/plans/${planId}/addons`, planAddonBody(target, ids))),
    );
  }
}

/** Publishing would only say that an add-on does not fit; its own answer says why. */
function refuseUnfit(plan: Plan, answer: unknown): void {
  const { validation_errors: problems = [] } = assigned.parse(answer);
  if (plan.status !== 'active' || problems.length === 0) return;
  throw new CatalogError(problems.map(({ field, message }) => ({ message: `${field}: ${message}` })));
}
