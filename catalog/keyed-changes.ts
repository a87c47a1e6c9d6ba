/** Changes of what has no versions: tax codes, their defaults, meters, features. */
import { z } from 'zod';
import { featureBody, taxCodeDefaultsBody } from './bodies.ts';
import { type Change, type Planning, refusedChange } from './change.ts';
import { differences } from './compare.ts';
import type { Feature, Meter, TaxCode, TaxCodeDefaults } from './schema.ts';

const created = z.object({ id: z.string() });

export function taxCodeChanges(taxCodes: readonly TaxCode[], { api, server, ids }: Planning): Change[] {
  return taxCodes.flatMap((taxCode, index): Change[] => {
    const common = { what: 'tax code', key: taxCode.key, path: ['tax_codes', index] };
    const stored = server.taxCodes.get(taxCode.key);
    if (stored === undefined) {
      const run = async () => {
        ids.taxCodes.set(taxCode.key, created.parse(await api.send('POST', '/tax-codes', taxCode)).id);
      };
      return [{ ...common, action: 'create', differences: [], run }];
    }
    const found = differences(stored.content, taxCode);
    if (found.length === 0) return [];
    const { key: _key, ...body } = taxCode;
    const run = async () => void (await api.send('PUT', `/tax-codes/${stored.id}`, body));
    return [{ ...common, action: 'update', differences: found, run }];
  });
}

export function taxCodeDefaultsChanges(
  defaults: TaxCodeDefaults | undefined,
  { api, server, ids }: Planning,
): Change[] {
  if (defaults === undefined) return [];
  const found = differences(server.taxCodeDefaults, { ...server.taxCodeDefaults, ...defaults });
  if (found.length === 0) return [];
  const run = async () => void (await api.send('PUT', '/defaults/tax-codes', taxCodeDefaultsBody(defaults, ids)));
  return [
    {
      action: 'update',
      what: 'tax code defaults',
      key: 'organization',
      path: ['tax_code_defaults'],
      differences: found,
      run,
    },
  ];
}

/** Everything else of a meter decides what is already counted and billed. */
const METER_CHANGEABLE = ['name', 'description', 'labels', 'dimensions'];

export function meterChanges(meters: readonly Meter[], { api, server, ids }: Planning): Change[] {
  return meters.flatMap((meter, index): Change[] => {
    const common = { what: 'meter', key: meter.key, path: ['meters', index] };
    const stored = server.meters.get(meter.key);
    if (stored === undefined) {
      const run = async () => {
        ids.meters.set(meter.key, created.parse(await api.send('POST', '/meters', meter)).id);
      };
      return [{ ...common, action: 'create', differences: [], run }];
    }
    const found = differences(stored.content, meter);
    if (found.length === 0) return [];
    const change = { ...common, action: 'update' as const, differences: found };
    const fixed = topFields(found).filter((field) => !METER_CHANGEABLE.includes(field));
    if (fixed.length > 0) {
      const refusal = `${fixed.join(', ')} of a meter cannot change: give the meter another key`;
      return [refusedChange({ ...change, refusal })];
    }
    const { name, description = '', labels, dimensions } = meter;
    // An omitted description would stay; omitted labels and dimensions go.
    const body = { name, description, labels, dimensions };
    return [{ ...change, run: async () => void (await api.send('PUT', `/meters/${stored.id}`, body)) }];
  });
}

export function featureChanges(features: readonly Feature[], { api, server, ids }: Planning): Change[] {
  return features.flatMap((feature, index): Change[] => {
    const common = { what: 'feature', key: feature.key, path: ['features', index] };
    const stored = server.features.get(feature.key);
    if (stored === undefined) {
      const run = async () => {
        ids.features.set(feature.key, created.parse(await api.send('POST', '/features', featureBody(feature, ids))).id);
      };
      return [{ ...common, action: 'create', differences: [], run }];
    }
    const found = differences(stored.content, feature);
    if (found.length === 0) return [];
    const change = { ...common, action: 'update' as const, differences: found };
    const fixed = topFields(found).filter((field) => field !== 'unit_cost');
    if (fixed.length > 0) {
      const refusal = `${fixed.join(', ')} of a feature cannot change, as prices stand on it: give it another key, or archive it first`;
      return [refusedChange({ ...change, refusal })];
    }
    const body = { unit_cost: feature.unit_cost ?? null };
    return [{ ...change, run: async () => void (await api.send('PATCH', `/features/${stored.id}`, body)) }];
  });
}

function topFields(found: readonly string[]): string[] {
  return [...new Set(found.map((line) => line.split(/[.:]/, 1)[0] ?? ''))];
}
