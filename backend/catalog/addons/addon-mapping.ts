import { defined } from '../../platform/defined.ts';
import {
  fromRateCard,
  type JudgedVersion,
  type Labels,
  type RateCard,
  type RateCardBody,
  statusAt,
  toRateCard,
  toValidationErrors,
  type ValidationErrorBody,
  type Version,
  type VersionChange,
} from '../product-catalog/index.ts';
import type { UpsertAddon } from './schema.ts';
import type { Addon, AddonStatus, InstanceType } from './types.ts';

/** What only add-ons have, as stored. */
export interface AddonContent {
  instanceType: InstanceType;
  rateCards: readonly RateCard[];
}

/** An add-on as answers carry it. */
export interface AddonBody {
  id: string;
  name: string;
  description?: string;
  labels?: Labels;
  created_at: string;
  updated_at: string;
  deleted_at?: string;
  key: string;
  version: number;
  instance_type: InstanceType;
  currency: string;
  effective_from?: string;
  effective_to?: string;
  status: AddonStatus;
  rate_cards: RateCardBody[];
  validation_errors?: ValidationErrorBody[];
}

export function toAddon({ content, ...version }: Version<AddonContent>): Addon {
  return { ...version, ...content };
}

/** @param input checked by `createAddonSchema` or `upsertAddonSchema` */
export function toAddonChange(input: UpsertAddon): VersionChange<AddonContent> {
  return {
    name: input.name,
    ...defined({ description: input.description, labels: input.labels }),
    content: { instanceType: input.instance_type, rateCards: input.rate_cards.map(toRateCard) },
  };
}

export function fromJudgedAddon({ version, issues }: JudgedVersion<AddonContent>, atMs: number): AddonBody {
  const { content } = version;
  return {
    id: version.id,
    name: version.name,
    ...defined({ description: version.description, labels: version.labels }),
    created_at: version.createdAt,
    updated_at: version.updatedAt,
    ...defined({ deleted_at: version.deletedAt }),
    key: version.key,
    version: version.version,
    instance_type: content.instanceType,
    currency: version.currency,
    ...defined({ effective_from: version.effectiveFrom, effective_to: version.effectiveTo }),
    status: addonStatusAt(version, atMs),
    rate_cards: content.rateCards.map(fromRateCard),
    ...defined({ validation_errors: toValidationErrors(issues) }),
  };
}

/** A version whose time has not come, because another server's clock is ahead, is about to be in force. */
export function addonStatusAt(period: Parameters<typeof statusAt>[0], atMs: number): AddonStatus {
  const status = statusAt(period, atMs);
  return status === 'scheduled' ? 'active' : status;
}
