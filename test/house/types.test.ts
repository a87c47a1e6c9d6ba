import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import type { Change, TypeReport } from './type-report.ts';

const SAMPLES = 'test/house/truthiness-samples.ts';
/** What ships and computes; pages of the console have their own checker. */
const FOLDERS = /^(backend|delivery|plugin|collectors|catalog)\//;

const MODELS = 'backend/catalog/rating/models/index.ts';
const AGGREGATIONS = 'backend/metering/usage-store/aggregations/index.ts';
const FEATURE_ROUTES = 'backend/catalog/features/routes.ts';
const INVOICE_ROUTES = 'backend/billing/invoices/routes.ts';
const ROLLUP_ROWS = 'backend/metering/usage-store/sqlite/rollup/rollup-rows.ts';

/** What must not compile. */
const PROBES: readonly (Change & { what: string; says: string })[] = [
  {
    what: 'an aggregation that has only a name',
    file: 'backend/metering/usage-store/types.ts',
    from: "export type Aggregation = 'sum' |",
    to: "export type Aggregation = 'median' | 'sum' |",
    says: "'median' is missing",
    at: AGGREGATIONS,
  },
  {
    what: 'a way to keep figures that the store cannot add to',
    file: 'backend/metering/usage-store/aggregations/aggregation.ts',
    from: "export type Keeping = 'counts' |",
    to: "export type Keeping = 'values' | 'counts' |",
    says: "'values' is missing",
    at: ROLLUP_ROWS,
  },
  {
    what: 'a price model that has only fields',
    file: 'backend/catalog/rating/types.ts',
    from: 'interface PriceFields {',
    to: 'interface PriceFields { package: { amount: string; quantity: string };',
    says: "'package' is missing",
    at: MODELS,
  },
  {
    what: 'an answer with another name for a field than its schema has',
    file: 'backend/billing/invoices/body.ts',
    from: '    currency: invoice.currency,',
    to: '    currency_code: invoice.currency,',
    says: "'currency' is missing",
    at: INVOICE_ROUTES,
  },
  {
    what: 'a list that reads a part of the query string that it does not document',
    file: FEATURE_ROUTES,
    from: 'filters: filterBy(FILTERS)',
    to: 'conditions: filterBy(FILTERS)',
    says: "Property 'filters' does not exist",
    at: FEATURE_ROUTES,
  },
];

let report: TypeReport;
beforeAll(async () => {
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile(
      process.execPath,
      ['test/house/type-report.ts'],
      { maxBuffer: 100_000_000 },
      (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(stderr, { cause: error }))),
    );
    child.stdin?.end(JSON.stringify(PROBES));
  });
  report = JSON.parse(output);
}, 600_000);

test('the sources compile as they are', () => {
  expect(report.errors).toEqual([]);
});

test.each(PROBES)('$what does not compile', ({ says, at }) => {
  const found = report.errorsOfChanges.filter((line) => line.startsWith(`${at}: `));
  expect(found.filter((line) => line.includes(says))).not.toEqual([]);
});

test('no number, text or decimal is asked whether it is true', () => {
  const ofSamples = report.truthinessTests.filter(({ at }) => at.startsWith(SAMPLES)).map(({ at }) => at);
  const expected = readFileSync(SAMPLES, 'utf8')
    .split('\n')
    .flatMap((line, index) => (line.endsWith('// found') ? [`${SAMPLES}:${index + 1}`] : []));
  expect(expected.length).toBeGreaterThan(10);
  expect(ofSamples).toEqual(expected);
  expect(report.truthinessTests.filter(({ at }) => FOLDERS.test(at))).toEqual([]);
  expect(report.files.filter((path) => FOLDERS.test(path)).length).toBeGreaterThan(500);
});
