/** Test clocks: sandbox customers live by a clock of their own. `clockOf` is for every module that asks for the time. */
export { clockOf, type NowByCustomer, nowByCustomer } from './clock-of.ts';
export { testClockRoutes } from './routes.ts';
export { createTestClocksService, type TestClockHooks, type TestClocksService } from './service.ts';
