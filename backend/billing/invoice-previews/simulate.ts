/** What would it cost: the invoice in the making with other quantities, or with lines that nobody has agreed on yet. */

import { z } from '@hono/zod-openapi';
import { findPricingProblems, type PricingTerms } from '../../catalog/rating/index.ts';
import { defined } from '../../platform/defined.ts';
import { derivedId } from '../../platform/derived-id.ts';
import { nameSchema, nonNegativeNumericSchema } from '../../platform/http/schemas.ts';
import { mapInSlices } from '../../platform/in-slices.ts';
import type { Scope } from '../../platform/scope.ts';
import type { BillingRunsDeps } from '../billing-runs/index.ts';
import { chargeProblem } from '../charges/index.ts';
import {
  commitmentsSchema,
  discountsSchema,
  type InvoiceLine,
  paymentTermSchema,
  periodSchema,
  priceSchema,
  unitConfigSchema,
} from '../invoice-records/index.ts';
import { invoiceProblem } from '../invoices/index.ts';
import { type PreviewAnswer, previewInvoice } from './preview.ts';

/** As many lines as an invoice may be given by hand. */
const MAX_LINES = 1000;
const MAX_KEY_LENGTH = 64;

export const simulateSchema = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be three capital letters, as in ISO 4217')
      .optional(),
    quantities: z
      .record(z.string().max(MAX_KEY_LENGTH), nonNegativeNumericSchema)
      .optional()
      .openapi({
        description: "By feature key, in the meter's unit: in place of what was used in the period so far.",
        example: { api_requests: '12000' },
      }),
    lines: z
      .array(
        z.strictObject({
          name: nameSchema,
          service_period: periodSchema,
          quantity: nonNegativeNumericSchema.optional().openapi({ description: "In the meter's unit; default 0." }),
          price: priceSchema,
          payment_term: paymentTermSchema,
          discounts: discountsSchema,
          commitments: commitmentsSchema,
          unit_config: unitConfigSchema,
        }),
      )
      .max(MAX_LINES)
      .optional()
      .openapi({ description: 'Lines besides those of the customer.' }),
  })
  .openapi('SimulateInvoiceRequest');
export type Simulate = z.output<typeof simulateSchema>;

/** Nothing is stored. @throws RequestProblem 404 @throws DomainProblem 400 for a price that cannot be rated */
export async function simulateInvoice(
  deps: BillingRunsDeps,
  scope: Scope,
  customerId: string,
  request: Simulate,
): Promise<PreviewAnswer> {
  const nowMs = scope.clock.nowMs();
  const extraLines = await mapInSlices(request.lines ?? [], (line, index): InvoiceLine => {
    const terms = termsOf(line, index);
    const servicePeriod = { fromMs: Date.parse(line.service_period.from), toMs: Date.parse(line.service_period.to) };
    if (servicePeriod.fromMs > servicePeriod.toMs) {
      throw chargeProblem('charge_period_invalid', undefined, { field: `lines.${index}.service_period` });
    }
    return {
      id: derivedId(`simulated/${customerId}/${index}`),
      invoiceId: '',
      position: index,
      kind: 'manual',
      controller: 'manual',
      name: line.name,
      terms,
      servicePeriod,
      fullServicePeriod: servicePeriod,
      invoiceAtMs: servicePeriod.toMs,
      splitPosition: 'single',
      quantity: line.quantity ?? '0',
      previousQuantity: '0',
      previouslyBilledAmount: '0',
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
  });
  return previewInvoice(deps, scope, customerId, { ...request, extraLines });
}

function termsOf(line: NonNullable<Simulate['lines']>[number], index: number): PricingTerms {
  const { price, payment_term, discounts, commitments, unit_config } = line;
  const terms: PricingTerms = {
    price,
    payment_term,
    ...defined({
      discounts: discounts && defined(discounts),
      commitments: commitments && defined(commitments),
      unit_config: unit_config && { ...unit_config, ...defined(unit_config) },
    }),
  };
  const [problem] = findPricingProblems(terms);
  if (problem === undefined) return terms;
  throw invoiceProblem('invoice_pricing_invalid', problem.message, { field: `lines.${index}.${problem.field}` });
}
