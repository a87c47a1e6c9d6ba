export { backFillOf } from './back-fill.ts';
export { toMeterSpec } from './definition.ts';
export { meterProblems } from './event-problems.ts';
export { type FindCustomers, type QueryCustomer, queryMeter } from './query.ts';
export { meterRoutes } from './routes.ts';
export { dimensionFilterSchema, type Meter } from './schema.ts';
export { createMetersService, findMeters, livingMeterSpecs, type MetersService, type MeterUsers } from './service.ts';
