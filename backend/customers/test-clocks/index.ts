/** Test clocks: sandbox customers live by a clock of their own. Work for a customer is opened by `customerScope`. */
export { type CustomerScope, customerScope, nowByCustomer } from './customer-scope.ts';
export { type NowByCustomer, storedNow } from './repository.ts';
export { testClockRoutes } from './routes.ts';
export { createTestClocksService, type TestClockHooks, type TestClocksService } from './service.ts';
