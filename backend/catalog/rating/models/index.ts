/**
 * The price models, one object each. A new one is a file here and an entry of PRICE_MODELS: whoever adds it to the union
 * in types.ts only is stopped by the compiler. Nobody else asks for the type of a price.
 */
import { z } from '@hono/zod-openapi';
import type { Report } from '../checks.ts';
import type { RatingContext, Usage } from '../context.ts';
import type { PriceOf, PriceType } from '../types.ts';
import { flat } from './flat.ts';
import { free } from './free.ts';
import { graduated } from './graduated.ts';
import type { Priced, PriceModel, Stretch } from './price-model.ts';
import { unit } from './unit.ts';
import { volume } from './volume.ts';

type PriceModels = { readonly [T in PriceType]: PriceModel<T> };

/** In the order in which the API document shows them. */
const PRICE_MODELS = { free, flat, unit, graduated, volume } satisfies PriceModels;

function modelOf<T extends PriceType>(type: T): PriceModel<T> {
  return (PRICE_MODELS as PriceModels)[type];
}

type PriceSchema = (typeof PRICE_MODELS)[PriceType]['schema'];

/** A price in the shape of the contract. */
export const priceSchema = z
  .discriminatedUnion(
    'type',
    Object.values(PRICE_MODELS).map(({ schema }) => schema) as [PriceSchema, ...PriceSchema[]],
  )
  .openapi('BillingPrice');

/** How sentences name the price, after "a". */
export function priceLabel({ type }: { type: PriceType }): string {
  return modelOf(type).label;
}

/** Whether nothing is charged at all; an amount of zero is charged. */
export function chargesNothing({ type }: { type: PriceType }): boolean {
  return modelOf(type).charges === 'nothing';
}

/** Whether a fee is charged, that nothing has to be used for. */
export function chargesFee({ type }: { type: PriceType }): boolean {
  return modelOf(type).charges === 'fee';
}

/** Whether it is charged what was used: such a price needs a quantity. */
export function chargesUsage({ type }: { type: PriceType }): boolean {
  return modelOf(type).charges === 'usage';
}

/** Whether the price allows that a part of its period is billed before the rest. */
export function isPriceSplittable({ type }: { type: PriceType }): boolean {
  return modelOf(type).canSplit;
}

/** Whether what is charged is known only when its whole period is over: no part of a period can have such a price. */
export function needsWholePeriod(price: { type: PriceType }): boolean {
  return chargesUsage(price) && !isPriceSplittable(price);
}

/** What is owed whatever is used, before proration: "0" for a free price, undefined for usage. */
export function fixedAmountOf<T extends PriceType>(price: PriceOf<T>): string | undefined {
  return modelOf(price.type).fixedAmount(price);
}

/** The amount of a fee, before proration; undefined where none is charged. */
export function feeOf<T extends PriceType>(price: PriceOf<T>): string | undefined {
  return chargesFee(price) ? fixedAmountOf(price) : undefined;
}

/** What quantities of billing units come to, before discounts and commitments. */
export function stretchesOf<T extends PriceType>(price: PriceOf<T>): readonly Stretch[] {
  return modelOf(price.type).stretches(price);
}

export type { Stretch } from './price-model.ts';

export function checkPrice<T extends PriceType>(price: PriceOf<T>, report: Report): void {
  modelOf(price.type).check(price, report);
}

export function priceLine<T extends PriceType>(price: PriceOf<T>, usage: Usage, context: RatingContext): Priced {
  return modelOf(price.type).price(price, usage, context);
}
