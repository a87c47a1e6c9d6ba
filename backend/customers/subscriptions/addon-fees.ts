import type { OpenPeriod } from '../../platform/period/index.ts';
import type { PurchasedAddon } from './types.ts';

/** A stretch of time in which a fee is charged so many times. */
export interface FeeLayer extends OpenPeriod {
  quantity: number;
}

/** How many times the add-on counts at an instant. */
export function quantityAt(addon: Pick<PurchasedAddon, 'timeline'>, atMs: number): number {
  return addon.timeline.findLast(({ fromMs }) => fromMs <= atMs)?.quantity ?? 0;
}

/**
 * The quantities of an add-on as layers of fees: more of it is a layer on top, and the layers below stay as they were,
 * since they may have been paid in advance. Less of it ends the newest layers first.
 */
export function feeLayers(addon: Pick<PurchasedAddon, 'timeline'>): FeeLayer[] {
  const ended: FeeLayer[] = [];
  const running: FeeLayer[] = [];
  let quantity = 0;
  for (const change of addon.timeline) {
    const increase = change.quantity - quantity;
    if (increase > 0) running.push({ fromMs: change.fromMs, toMs: undefined, quantity: increase });
    if (increase < 0) end(running, ended, -increase, change.fromMs);
    quantity = change.quantity;
  }
  return [...ended, ...running].sort((a, b) => a.fromMs - b.fromMs);
}

function end(running: FeeLayer[], ended: FeeLayer[], decrease: number, atMs: number): void {
  let left = decrease;
  while (left > 0) {
    const newest = running.pop();
    if (newest === undefined) throw new Error('an add-on cannot count fewer than zero times');
    ended.push({ ...newest, toMs: atMs });
    if (newest.quantity > left) running.push({ fromMs: atMs, toMs: undefined, quantity: newest.quantity - left });
    left -= newest.quantity;
  }
}
