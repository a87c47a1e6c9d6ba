import type { Random } from '../../support/random.ts';

/** Ids of what there is, by the name of the parameter that takes them: "customerId". */
export interface Ids {
  /** @param name of a parameter or a field: "customerId", "tax_codeId", "filter[customer_id]" */
  of(name: string): string;
  /** Remembers what an answer has made. @param url that it was made at */
  learn(url: string, id: string): void;
}

const UNKNOWN = '01G65Z755AFWAKHE12NY0CQ9FH';
/** More of a kind are not needed, and the oldest may be gone. */
const MAX_OF_A_KIND = 40;

const SINGULAR: Record<string, string> = {
  'tax-codes': 'taxCodeId',
  profiles: 'id',
  invoices: 'invoiceId',
  install: 'appId',
  custom: 'currencyId',
  runs: 'runId',
  'access-tokens': 'accessTokenId',
  grants: 'grantId',
};

/** What fields are called whose ids are those of something of another name. */
const ALIASES: Record<string, string> = {
  codeId: 'taxCodeId',
  tax_codeId: 'taxCodeId',
  invoicing_tax_codeId: 'taxCodeId',
  credit_grant_tax_codeId: 'taxCodeId',
  billing_profileId: 'id',
  taxId: 'appId',
  invoicingId: 'appId',
  paymentId: 'appId',
  customer: 'customerId',
};

export function createIds(random: Random, first: Record<string, string>): Ids {
  const pools = new Map<string, string[]>(Object.entries(first).map(([name, id]) => [name, [id]]));
  const anyOf = () => random.pick([UNKNOWN, ...[...pools.values()].flat()]);
  return {
    of: (name) => {
      const snake = /^(?:filter\[)?(\w+?)_id\]?$/.exec(name)?.[1];
      const camel =
        snake === undefined ? name : `${snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}Id`;
      const pool = pools.get(ALIASES[camel] ?? camel);
      return pool === undefined || random.next() < 0.05
        ? anyOf()
        : (random.pick(pool as [string, ...string[]]) ?? anyOf());
    },
    learn: (url, id) => {
      const last = new URL(url, 'http://x').pathname.split('/').at(-1) ?? '';
      const name = SINGULAR[last] ?? `${last.replace(/s$/, '')}Id`;
      const pool = pools.get(name) ?? [];
      pool.push(id);
      pools.set(name, pool.slice(-MAX_OF_A_KIND));
    },
  };
}
