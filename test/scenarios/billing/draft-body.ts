// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; each answer is held against the contract
type Json = any;

const FIELDS = ['name', 'description', 'labels', 'service_period'];
const CARD_FIELDS = ['price', 'tax_config', 'feature_key', 'discounts'];
const pick = (value: Json, fields: readonly string[]) =>
  Object.fromEntries(fields.filter((field) => value[field] !== undefined).map((field) => [field, value[field]]));

/** What a `GET` has answered, as far as a `PUT` takes it. */
export const bodyOf = (invoice: Json): Json => {
  const { due_after: _, ...invoicing } = invoice.workflow.workflow.invoicing;
  return {
    ...pick(invoice, ['supplier', 'customer', 'type', 'description', 'labels']),
    workflow: { workflow: { invoicing, payment: invoice.workflow.workflow.payment } },
    lines: invoice.lines.map((line: Json) => ({
      ...pick(line, FIELDS),
      id: line.id,
      type: 'standard_line',
      rate_card: pick(line.rate_card, CARD_FIELDS),
    })),
  };
};
