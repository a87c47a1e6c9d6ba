import { parseInstant } from '../../platform/instant.ts';
import type { EffectivePeriod } from './types.ts';

export type VersionStatus = 'draft' | 'scheduled' | 'active' | 'archived';

/**
 * The status of a version at an instant; it is never stored. Half-open, as the v3 contract says: active from
 * `effectiveFrom` on, archived from `effectiveTo` on, so that of two versions with a common bound exactly one is active.
 */
export function statusAt({ effectiveFrom, effectiveTo }: EffectivePeriod, atMs: number): VersionStatus {
  if (effectiveFrom === undefined) return 'draft';
  if (effectiveTo !== undefined && msOf(effectiveTo) <= atMs) return 'archived';
  return msOf(effectiveFrom) <= atMs ? 'active' : 'scheduled';
}

/** @param instant RFC 3339 text of ours */
export function msOf(instant: string): number {
  const atMs = parseInstant(instant);
  if (atMs === undefined) throw new Error(`not an instant: ${instant}`);
  return atMs;
}
