import { isTurnUsedUp, nextTurn } from '../../../platform/turn.ts';

/** To be called between small steps of what computes: the event loop serves others when its turn is used up. */
export function giveWay(): Promise<void> | undefined {
  return isTurnUsedUp() ? nextTurn() : undefined;
}
