export { meterProblems } from './event-problems.ts';
export { type FindCustomers, type QueryCustomer, queryMeter } from './query.ts';
export { meterRoutes } from './routes.ts';
export { createMetersService, type MetersService, type MeterUsers } from './service.ts';
