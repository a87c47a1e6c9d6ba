export { backFillOf } from './back-fill.ts';
export { meterProblems } from './event-problems.ts';
export { type FindCustomers, type QueryCustomer, queryMeter } from './query.ts';
export { meterRoutes } from './routes.ts';
export { createMetersService, livingMeterSpecs, type MetersService, type MeterUsers } from './service.ts';
