import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const MODELS = 'backend/catalog/rating/models/index.ts';
const AGGREGATIONS = 'backend/metering/usage-store/aggregations/index.ts';
const INVOICE_ROUTES = 'backend/billing/invoices/routes.ts';
const ROLLUP_ROWS = 'backend/metering/usage-store/sqlite/rollup/rollup-rows.ts';

const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');

/** What the compiler says of the sources when one of them has another text: "file: message". */
function compile(changed?: { file: string; from: string; to: string }, old?: ts.Program) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, languageVersion, ...rest) => {
    if (changed === undefined || resolve(name) !== resolve(changed.file)) {
      return old?.getSourceFile(name) ?? getSourceFile(name, languageVersion, ...rest);
    }
    const text = readFileSync(name, 'utf8');
    expect(text.split(changed.from)).toHaveLength(2);
    return ts.createSourceFile(name, text.replace(changed.from, changed.to), languageVersion, true);
  };
  const program = ts.createProgram(
    [MODELS, AGGREGATIONS, ROLLUP_ROWS, INVOICE_ROUTES].map((name) => resolve(name)),
    options,
    host,
    old,
  );
  const found = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(resolve('backend')))
    .flatMap((file) => program.getSemanticDiagnostics(file))
    .map(({ file, messageText }) => {
      const name = file?.fileName.slice(resolve('.').length + 1);
      return `${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  return { program, found };
}

const { program, found: foundBefore } = compile();

test('the sources compile as they are', () => {
  expect(foundBefore).toEqual([]);
});

test.each([
  {
    what: 'an aggregation that has only a name',
    file: 'backend/metering/usage-store/types.ts',
    from: "export type Aggregation = 'sum' |",
    to: "export type Aggregation = 'median' | 'sum' |",
    missing: 'median',
    at: AGGREGATIONS,
  },
  {
    what: 'a way to keep figures that the store cannot add to',
    file: 'backend/metering/usage-store/aggregations/aggregation.ts',
    from: "export type Keeping = 'counts' |",
    to: "export type Keeping = 'values' | 'counts' |",
    missing: 'values',
    at: ROLLUP_ROWS,
  },
  {
    what: 'a price model that has only fields',
    file: 'backend/catalog/rating/types.ts',
    from: 'interface PriceFields {',
    to: 'interface PriceFields { package: { amount: string; quantity: string };',
    missing: 'package',
    at: MODELS,
  },
  {
    what: 'an answer with another name for a field than its schema has',
    file: 'backend/billing/invoices/body.ts',
    from: '    currency: invoice.currency,',
    to: '    currency_code: invoice.currency,',
    missing: 'currency',
    at: INVOICE_ROUTES,
  },
])('$what does not compile', ({ missing, at, ...change }) => {
  const { found } = compile(change, program);
  expect(found.filter((line) => line.startsWith(`${at}: `) && line.includes(`'${missing}' is missing`))).not.toEqual(
    [],
  );
});
