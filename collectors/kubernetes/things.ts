import { at, type JsonObject, picked, textAt } from './json.ts';
import type { Look } from './life.ts';
import { metadataOf } from './pods.ts';

/** Nodes and volumes are there or not: their one run is their being there. */
const WHOLE = 'object';

/** A node, from when it was made until it is deleted. */
export function lookAtNode(node: JsonObject, createdMs: number): Look {
  return {
    ...there(createdMs, createdMs, false),
    body: {
      metadata: metadataOf(node),
      spec: picked(at(node, 'spec'), ['providerID', 'unschedulable']),
      status: picked(at(node, 'status'), ['capacity', 'allocatable']),
    },
  };
}

/** A volume, from when it was made until it is deleted: storage is there whether or not somebody claims it. */
export function lookAtVolume(volume: JsonObject, createdMs: number): Look {
  return {
    ...there(createdMs, createdMs, false),
    body: {
      metadata: metadataOf(volume),
      spec: {
        ...picked(at(volume, 'spec'), ['capacity', 'storageClassName', 'accessModes', 'volumeMode']),
        claimRef: picked(at(volume, 'spec', 'claimRef'), ['name', 'namespace', 'uid']),
      },
      status: picked(at(volume, 'status'), ['phase']),
    },
  };
}

/**
 * A claim, from when it was made, once it is bound: before that it holds nothing. The API does not tell when it was bound, so
 * a claim that has been seen waiting counts from when it no longer was.
 */
export function lookAtClaim(claim: JsonObject, createdMs: number): Look {
  const isBound = textAt(claim, 'status', 'phase') !== 'Pending';
  return {
    ...there(createdMs, isBound ? createdMs : undefined, false),
    body: {
      metadata: metadataOf(claim),
      spec: picked(at(claim, 'spec'), ['resources', 'storageClassName', 'accessModes', 'volumeMode', 'volumeName']),
      status: picked(at(claim, 'status'), ['phase', 'capacity']),
    },
  };
}

function there(createdMs: number, startMs: number | undefined, isOver: boolean): Omit<Look, 'body'> {
  const runs = startMs === undefined ? [] : [{ container: WHOLE, kind: 'container' as const, startMs }];
  return { createdMs, runs, isOver };
}
