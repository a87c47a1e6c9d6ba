export { eventRoutes, legacyEventRoutes } from './routes.ts';
export { createEventsService, type EventAnnotations, type EventsService } from './service.ts';
