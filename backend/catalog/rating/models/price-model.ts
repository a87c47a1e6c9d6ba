import type { z } from '@hono/zod-openapi';
import type { Decimal } from '../../../platform/decimal.ts';
import type { Report } from '../checks.ts';
import type { LineDraft, RatingContext, Usage } from '../context.ts';
import type { PriceOf, PriceType } from '../types.ts';

/** What a price model makes of usage: detailed lines, or why there are none. */
export type Priced = { lines: readonly LineDraft[]; reason?: string };

/**
 * A stretch of quantities, in billing units, whose amounts lie on one line: `base` + `slope` × quantity, not rounded. It
 * begins above the stretch before it, the first one with nothing used.
 */
export interface Stretch {
  /** Inclusive; undefined: without an end. */
  upTo: Decimal | undefined;
  base: Decimal;
  /** Zero or more. */
  slope: Decimal;
}

/** Everything that is true of one price model. */
export interface PriceModel<T extends PriceType> {
  /** The price at the border. */
  schema: z.ZodType<PriceOf<T>>;
  /** How sentences name it, after "a". */
  label: string;
  /**
   * What is paid for: nothing, a fee that is known before anything was used, or what was used. Only usage has a
   * quantity: unit conversion, free units and commitments do not touch the others.
   */
  charges: 'nothing' | 'fee' | 'usage';
  /** Whether a part of the period can be billed before the rest is known. */
  canSplit: boolean;
  /** What is owed whatever was used, before proration; undefined where usage decides. */
  fixedAmount(price: PriceOf<T>): string | undefined;
  /** What quantities come to, in order and without a gap; nothing where usage is not charged. */
  stretches(price: PriceOf<T>): readonly Stretch[];
  /** Reports what is wrong with the price itself, by its fields. */
  check(price: PriceOf<T>, report: Report): void;
  /** @throws RatingError when the price cannot be told for this part of the period */
  price(price: PriceOf<T>, usage: Usage, context: RatingContext): Priced;
}
