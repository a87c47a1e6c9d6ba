import fc from 'fast-check';

/**
 * fast-check, set up once for all property tests. `npm test` tries the same cases every time, so that what is green stays
 * green until the code changes; `npm run test:long` draws new ones, and PROPERTY_SEED repeats a run that failed: a failing
 * property prints the seed it had.
 */
const { PROPERTY_SEED, LONG } = process.env;
if (PROPERTY_SEED !== undefined) fc.configureGlobal({ seed: Number.parseInt(PROPERTY_SEED, 10) });
else if (LONG !== '1') fc.configureGlobal({ seed: 20_261_101 });

export { fc };
