import type { AdjustmentSettings, BillingProfile, CreateBillingProfile } from '../../api/billing-profiles.ts';

/** What the form of a billing profile holds; durations are ISO 8601. */
export interface ProfileForm {
  name: string;
  description: string;
  isDefault: boolean;
  supplier: Record<'name' | 'taxId' | 'country' | 'postal_code' | 'state' | 'city' | 'line1' | 'line2', string>;
  apps: { tax: string; invoicing: string; payment: string };
  alignment: 'subscription' | 'anchored';
  anchorAt: string;
  anchorInterval: string;
  wait: string;
  isAutoAdvancing: boolean;
  draft: string;
  isProgressive: boolean;
  atEnd: 'bill_full_period' | 'bill_actual_period';
  collection: 'charge_automatically' | 'send_invoice';
  dueAfter: string;
  isTaxed: boolean;
  isTaxEnforced: boolean;
  taxBehavior: '' | 'inclusive' | 'exclusive';
  lateUsage: AdjustmentSettings['late_usage'];
  unusedTime: AdjustmentSettings['unused_time'];
}

/** @param appId of the app that a new profile begins with */
export function emptyProfile(appId: string): ProfileForm {
  return {
    name: '',
    description: '',
    isDefault: false,
    supplier: { name: '', taxId: '', country: '', postal_code: '', state: '', city: '', line1: '', line2: '' },
    apps: { tax: appId, invoicing: appId, payment: appId },
    alignment: 'subscription',
    anchorAt: '',
    anchorInterval: 'P1M',
    wait: 'PT1H',
    isAutoAdvancing: true,
    draft: 'P0D',
    isProgressive: true,
    atEnd: 'bill_actual_period',
    collection: 'charge_automatically',
    dueAfter: 'P30D',
    isTaxed: true,
    isTaxEnforced: false,
    taxBehavior: '',
    lateUsage: 'bill',
    unusedTime: 'credit',
  };
}

export function profileForm(profile: BillingProfile, adjustments: AdjustmentSettings): ProfileForm {
  const { supplier, workflow, apps } = profile;
  const { collection, invoicing, payment, tax } = workflow;
  const form = emptyProfile('');
  const address = supplier.addresses?.billing_address;
  const alignment = collection?.alignment;
  return {
    ...form,
    name: profile.name,
    description: profile.description ?? '',
    isDefault: profile.default,
    supplier: {
      name: supplier.name ?? '',
      taxId: supplier.tax_id?.code ?? '',
      country: address?.country ?? '',
      postal_code: address?.postal_code ?? '',
      state: address?.state ?? '',
      city: address?.city ?? '',
      line1: address?.line1 ?? '',
      line2: address?.line2 ?? '',
    },
    apps: { tax: apps.tax.id, invoicing: apps.invoicing.id, payment: apps.payment.id },
    alignment: alignment?.type ?? 'subscription',
    ...(alignment?.type === 'anchored' && {
      anchorAt: alignment.recurring_period.anchor.slice(0, 16),
      anchorInterval: alignment.recurring_period.interval,
    }),
    wait: collection?.interval ?? form.wait,
    isAutoAdvancing: invoicing?.auto_advance ?? true,
    draft: invoicing?.draft_period ?? form.draft,
    isProgressive: invoicing?.progressive_billing ?? true,
    atEnd: invoicing?.subscription_end_proration_mode ?? form.atEnd,
    collection: payment?.collection_method ?? form.collection,
    dueAfter: (payment?.collection_method === 'send_invoice' ? payment.due_after : undefined) ?? form.dueAfter,
    isTaxed: tax?.enabled ?? true,
    isTaxEnforced: tax?.enforced ?? false,
    taxBehavior: tax?.default_tax_config?.behavior ?? '',
    lateUsage: adjustments.late_usage,
    unusedTime: adjustments.unused_time,
  };
}

export function profileOf(form: ProfileForm): CreateBillingProfile {
  const { name, taxId, ...address } = form.supplier;
  const lines = Object.entries(address).filter(([, text]) => text.trim() !== '');
  const anchored = {
    type: 'anchored' as const,
    recurring_period: { anchor: anchorOf(form.anchorAt), interval: form.anchorInterval.trim() },
  };
  return {
    name: form.name.trim(),
    ...(form.description.trim() !== '' && { description: form.description.trim() }),
    default: form.isDefault,
    supplier: {
      ...(name.trim() !== '' && { name: name.trim() }),
      ...(taxId.trim() !== '' && { tax_id: { code: taxId.trim() } }),
      ...(lines.length > 0 && {
        addresses: { billing_address: Object.fromEntries(lines.map(([key, text]) => [key, text.trim()])) },
      }),
    },
    apps: {
      tax: { id: form.apps.tax },
      invoicing: { id: form.apps.invoicing },
      payment: { id: form.apps.payment },
    },
    workflow: {
      collection: {
        alignment: form.alignment === 'anchored' ? anchored : { type: 'subscription' },
        interval: form.wait.trim(),
      },
      invoicing: {
        auto_advance: form.isAutoAdvancing,
        draft_period: form.draft.trim(),
        progressive_billing: form.isProgressive,
        subscription_end_proration_mode: form.atEnd,
      },
      payment:
        form.collection === 'send_invoice'
          ? { collection_method: 'send_invoice', due_after: form.dueAfter.trim() }
          : { collection_method: 'charge_automatically' },
      tax: {
        enabled: form.isTaxed,
        enforced: form.isTaxEnforced,
        ...(form.taxBehavior !== '' && { default_tax_config: { behavior: form.taxBehavior } }),
      },
    },
  };
}

/** The field has no zone: UTC. What is no date goes as it is, so that the server says what is wrong. */
function anchorOf(text: string): string {
  const at = new Date(`${text}Z`);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

export function adjustmentsOf({ lateUsage, unusedTime }: ProfileForm): AdjustmentSettings {
  return { late_usage: lateUsage, unused_time: unusedTime };
}
