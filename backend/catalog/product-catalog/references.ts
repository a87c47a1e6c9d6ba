import type { Scope } from '../../platform/scope.ts';
import type { RateCard } from './types.ts';

/** What the rules need to know of a feature. */
export interface FeatureFacts {
  key: string;
  hasMeter: boolean;
  isArchived: boolean;
}

/** What the rules need to know of a currency. */
export interface CurrencyFacts {
  isCustom: boolean;
  /** Codes of the fiat currencies in which a custom currency has a cost basis now. */
  costBases: ReadonlySet<string>;
}

/**
 * Other modules' resources that rate cards name; what does not exist is absent from the answers. They are asked inside
 * the transaction of a change, with its scope.
 */
export interface CatalogLookups {
  features(ids: readonly string[], scope: Scope): Promise<ReadonlyMap<string, FeatureFacts>>;
  currencies(codes: readonly string[], scope: Scope): Promise<ReadonlyMap<string, CurrencyFacts>>;
  /** The ids among these that are tax codes. */
  taxCodes(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
}

type FindByIds<Found> = (ids: readonly string[], scope: Scope) => Promise<ReadonlyMap<string, Found>>;

/** The lookups as the modules of features, currencies and tax codes give them. */
export function catalogLookups(sources: {
  features: { findByIds: FindByIds<{ key: string; meter?: unknown; deleted_at?: string | undefined }> };
  currencies: { describe: FindByIds<CurrencyFacts> };
  taxCodes: { findByIds: FindByIds<{ deleted_at?: string | undefined }> };
}): CatalogLookups {
  return {
    features: async (ids, scope) => {
      const found = await sources.features.findByIds(ids, scope);
      return new Map(
        [...found].map(([id, { key, meter, deleted_at }]) => [
          id,
          { key, hasMeter: meter !== undefined, isArchived: deleted_at !== undefined },
        ]),
      );
    },
    currencies: (codes, scope) => sources.currencies.describe(codes, scope),
    taxCodes: async (ids, scope) => {
      const found = [...(await sources.taxCodes.findByIds(ids, scope))];
      return new Set(found.filter(([, { deleted_at }]) => deleted_at === undefined).map(([id]) => id));
    },
  };
}

/** What rate cards refer to, looked up. */
export interface References {
  features: ReadonlyMap<string, FeatureFacts>;
  currencies: ReadonlyMap<string, CurrencyFacts>;
  taxCodes: ReadonlySet<string>;
}

/** Looks up all that the rate cards name, in one question to each module. @param currencies codes besides the cards' own */
export async function lookUpReferences(
  lookups: CatalogLookups,
  cards: readonly RateCard[],
  currencies: readonly string[],
  scope: Scope,
): Promise<References> {
  const idsOf = (read: (card: RateCard) => string | undefined) => [
    ...new Set(cards.map(read).filter((id) => id !== undefined)),
  ];
  const codes = [...new Set([...currencies, ...idsOf((card) => card.currency)])];
  return {
    features: await lookups.features(
      idsOf((card) => card.featureId),
      scope,
    ),
    currencies: await lookups.currencies(codes, scope),
    taxCodes: await lookups.taxCodes(
      idsOf((card) => card.taxConfig?.taxCodeId),
      scope,
    ),
  };
}
