import type { JsonObject } from './json.ts';
import type { Look } from './life.ts';
import { lookAtPod } from './pods.ts';
import type { Counting } from './slices.ts';
import { lookAtClaim, lookAtNode, lookAtVolume } from './things.ts';
import { nodeUsage, podUsage, storageUsage, type UsageOf } from './usage.ts';

/** A kind of object that can be metered. */
export interface ResourceKind {
  /** As paths of core/v1 have it. */
  readonly plural: string;
  readonly isNamespaced: boolean;
  look(object: JsonObject, createdMs: number): Look;
  usage(counting: Counting, gpus: readonly string[]): UsageOf;
  /** Its deletion is its end, to the moment; a pod's containers have ended before. */
  readonly endsWhenDeleted: boolean;
  /** What has been seen waiting begins when it no longer waits, which the API does not tell. */
  readonly beginsWhenSeen?: true;
}

export const RESOURCE_TYPES = ['pod', 'node', 'persistentvolume', 'persistentvolumeclaim'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

export const RESOURCE_KINDS: Readonly<Record<ResourceType, ResourceKind>> = {
  pod: { plural: 'pods', isNamespaced: true, look: lookAtPod, usage: podUsage, endsWhenDeleted: false },
  node: {
    plural: 'nodes',
    isNamespaced: false,
    look: lookAtNode,
    usage: (_counting, gpus) => nodeUsage(gpus),
    endsWhenDeleted: true,
  },
  persistentvolume: {
    plural: 'persistentvolumes',
    isNamespaced: false,
    look: lookAtVolume,
    usage: () => storageUsage('pv'),
    endsWhenDeleted: true,
  },
  persistentvolumeclaim: {
    plural: 'persistentvolumeclaims',
    isNamespaced: true,
    look: lookAtClaim,
    usage: () => storageUsage('pvc'),
    endsWhenDeleted: true,
    beginsWhenSeen: true,
  },
};
