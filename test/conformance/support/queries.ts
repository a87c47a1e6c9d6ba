import { type ContractOperation, type Json, type Schema, schemaOf } from './schema.ts';

/** A query string, and what it is an example of. */
export interface Query {
  text: string;
  /** The parameter that is wrong; undefined: none. */
  wrong?: string;
}

/** A value and a wrong one, by component: what filters compare with. */
const VALUES: Record<string, { right: string; wrong?: string }> = {
  ULID: { right: '01G65Z755AFWAKHE12NY0CQ9FH', wrong: 'no-ulid' },
  DateTime: { right: '2026-11-01T00:00:00Z', wrong: 'yesterday' },
  CurrencyCode: { right: 'USD' },
  BillingCurrencyType: { right: 'fiat', wrong: 'shells' },
};

/** What the contract has as a text, and this server knows all values of. */
const CHOICES: Record<string, string> = {
  'list-customer-charges filter[status]': 'created',
  'list-credit-grants filter[status]': 'active',
  'list-credit-transactions filter[type]': 'funded',
};

/** Operators of the contract that an operation refuses, as its reference implementation does: the field that it names. */
const REFUSED: Record<string, string> = {
  'list-metering-events filter[customer_id][neq]': 'filter[customer_id]',
  'get-customer-credit-balance filter[currency][neq]': 'filter[currency]',
  ...refusedByView('get-customer-credit-balance'),
  ...refusedByView('list-credit-transactions'),
};

/** Credit is looked at as a whole, without any restriction, or by the features that it may pay for. */
function refusedByView(operation: string): Record<string, string> {
  const refused = ['neq', 'contains', 'ocontains', 'gt', 'gte', 'lt', 'lte', 'exists'];
  const field = 'filter[feature_key]';
  return Object.fromEntries(refused.map((operator) => [`${operation} ${field}[${operator}]`, field]));
}

/**
 * Every parameter that the contract gives the operation, each in all its forms, and everything that is wrong with one.
 * @param existing ids that filters must name, by parameter
 */
export function queriesOf(operation: ContractOperation, existing: Record<string, string>): Query[] {
  const valueOfFilter = (name: string) => CHOICES[`${operation.id} ${name}`] ?? existing[name];
  return [
    ...operation.query.flatMap(({ name, schema }) => {
      switch (name) {
        case 'page':
          return pageQueries(schemaOf(schema));
        case 'sort':
          return [...bad('sort', ['no_such_field', 'created_at sideways', 'id asc desc'])];
        case 'filter':
          return [
            ...bad('filter[no_such_field]', ['x']),
            ...Object.entries(schemaOf(schema).properties).flatMap(([field, kind]) =>
              filterQueries(field, kind, valueOfFilter(`filter[${field}]`)),
            ),
          ];
        case 'expand':
          return expandQueries(schemaOf(schema));
        default:
          return plainQueries(name, schemaOf(schema));
      }
    }),
  ].map((query) => {
    const name = query.text.slice(0, query.text.indexOf('='));
    const wrong = REFUSED[`${operation.id} ${name}`];
    return wrong === undefined || query.wrong !== undefined ? query : { ...query, wrong };
  });
}

const good = (text: string): Query => ({ text });
const bad = (name: string, values: readonly string[]): Query[] =>
  values.map((value) => ({ text: `${name}=${encodeURIComponent(value)}`, wrong: name }));

function plainQueries(name: string, { name: component = '' }: Schema): Query[] {
  const { right, wrong } = VALUES[component] ?? { right: 'true', wrong: 'maybe' };
  return [good(`${name}=${encodeURIComponent(right)}`), ...bad(name, [wrong ?? ''])];
}

function pageQueries({ properties }: Schema): Query[] {
  const wrong = ['0', '-1', '1.5', 'many', '1e3', ''];
  const numbered = Object.hasOwn(properties, 'number');
  return [
    good('page[size]=1'),
    good('page[size]=100'),
    ...bad('page[size]', [...wrong, '99999999999999999999']),
    ...bad('page[no_such_key]', ['1']),
    ...bad('page', ['1']),
    { text: 'page[size]=1&page[size]=2', wrong: 'page[size]' },
    ...(numbered
      ? [good('page[number]=1'), good('page[number]=7'), ...bad('page[number]', wrong)]
      : bad('page[before]', ['x'])),
  ];
}

function expandQueries({ items }: Schema): Query[] {
  const choices = schemaOf(items as Json).enum ?? [];
  return [good(`expand=${choices.join(',')}`), ...bad('expand', ['no_such_thing'])];
}

function filterQueries(field: string, kind: Json, known: string | undefined): Query[] {
  const schema = schemaOf(kind);
  const name = `filter[${field}]`;
  const unknown: Query[] = bad(`${name}[no_such_operator]`, ['x']);
  if (schema.branches.length === 0) {
    const { right, wrong } = { right: 'x', ...VALUES[schema.name ?? ''], ...(known !== undefined && { right: known }) };
    return [good(`${name}=${right}`), ...unknown, ...(wrong === undefined ? [] : bad(name, [wrong]))];
  }
  const [plain, operators] = schema.branches.map((branch) => schemaOf(branch));
  const values = { right: 'some text', ...VALUES[plain?.name ?? ''], ...(known !== undefined && { right: known }) };
  const queries = [good(`${name}=${encodeURIComponent(values.right)}`), ...unknown];
  if (values.wrong !== undefined) queries.push(...bad(name, [values.wrong]));
  for (const [operator, operand] of Object.entries(operators?.properties ?? {})) {
    const isBoolean = schemaOf(operand).type === 'boolean';
    const right = isBoolean ? 'true' : values.right;
    queries.push(good(`${name}[${operator}]=${encodeURIComponent(right)}`));
    if (operator.startsWith('o')) queries.push(good(`${name}[${operator}]=${encodeURIComponent(`${right},${right}`)}`));
    const wrong = isBoolean ? 'maybe' : values.wrong;
    if (wrong !== undefined) queries.push(...bad(`${name}[${operator}]`, [wrong]));
  }
  return queries;
}
