export { backFillOf } from './back-fill.ts';
export { toMeterSpec } from './definition.ts';
export { meterProblems } from './event-problems.ts';
export { explainByMeters, meterKeysOfTypes } from './explain.ts';
export { pickerRoutes } from './pickers.ts';
export { type FindCustomers, type QueryCustomer, queryMeter } from './query.ts';
export { type MeterOperations, meterRoutes } from './routes.ts';
export { dimensionFilterSchema, type Meter } from './schema.ts';
export { createMetersService, findMeters, livingMeterSpecs, type MetersService, type MeterUsers } from './service.ts';
