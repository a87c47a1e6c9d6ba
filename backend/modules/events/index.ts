export { correctionRoutes } from './correction-routes.ts';
export { createCorrectionsService } from './correction-service.ts';
export { eventRoutes, legacyEventRoutes } from './routes.ts';
export { createEventsService, type EventAnnotations, type EventsService } from './service.ts';
