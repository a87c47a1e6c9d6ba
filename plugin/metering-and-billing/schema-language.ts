/**
 * The part of Kong's schema language that this plugin uses: what Kong's `kong/db/schema/metaschema.lua` accepts from an
 * external plugin as JSON (measured on 3.9.1). A construct outside of this type would stop the gateway at start.
 */
export interface FieldRule {
  readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'map' | 'record';
  /** 10 to 500 characters, or the gateway refuses the whole schema. */
  readonly description?: string;
  /** On a record: Kong fills the record in, with its fields' defaults, when the user leaves it out. */
  readonly required?: boolean;
  readonly default?: string | number | boolean;
  /** Both ends inclusive; numbers and integers only. */
  readonly between?: readonly [number, number];
  readonly one_of?: readonly (string | number)[];
  readonly len_min?: number;
  /** A Lua pattern, not a regular expression. */
  readonly match?: string;
  readonly match_any?: { readonly patterns: readonly string[]; readonly err: string };
  /** What Kong answers instead of its own message when a check of this field fails. */
  readonly err?: string;
  /** The value may be a vault reference, which Kong resolves before the plugin sees it. */
  readonly referenceable?: boolean;
  /** Encrypted at rest where the gateway has a keyring. */
  readonly encrypted?: boolean;
  readonly elements?: FieldRule;
  /** Of a map. */
  readonly keys?: FieldRule;
  readonly values?: FieldRule;
  readonly fields?: readonly Field[];
  readonly entity_checks?: readonly EntityCheck[];
}

/** One field of a record: an object with exactly one key, the field's name. */
export type Field = Readonly<Record<string, FieldRule>>;

/** What a field must fulfil for a conditional check; every part left out is inherited from the field itself. */
export type FieldCondition = Partial<Omit<FieldRule, 'type' | 'one_of'>> & {
  readonly eq?: string | number | boolean;
  readonly one_of?: readonly (string | number)[];
};

/** A rule across two fields of one record: if the first matches, the second must match as well. */
export interface EntityCheck {
  readonly conditional: {
    readonly if_field: string;
    readonly if_match: FieldCondition;
    readonly then_field: string;
    readonly then_match: FieldCondition;
    readonly then_err?: string;
  };
}
