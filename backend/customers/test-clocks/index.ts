/** Test clocks: sandbox customers live by a clock of their own. `clockOf` is for every module that asks for the time. */
export { clockOf, nowByCustomer } from './clock-of.ts';
export { type NowByCustomer, storedNow } from './repository.ts';
export { testClockRoutes } from './routes.ts';
export { createTestClocksService, type TestClockHooks, type TestClocksService } from './service.ts';
