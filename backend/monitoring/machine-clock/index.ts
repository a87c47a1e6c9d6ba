export { machineClockRoutes } from './routes.ts';
export { type MachineClock, openMachineClock, unwatched, WAITING } from './service.ts';
