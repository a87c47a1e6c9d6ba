export { correctionRoutes } from './correction-routes.ts';
export { createCorrectionsService } from './correction-service.ts';
export {
  type CountingExplainers,
  type CountingReason,
  createExplanationsService,
  type ExplainedEvent,
  type FeatureExplanation,
} from './explanation.ts';
export { explanationRoutes } from './explanation-routes.ts';
export { eventRoutes, legacyEventRoutes } from './routes.ts';
export { createEventsService, type EventAnnotations, type EventsService, type IngestOutcome } from './service.ts';
export { subjectsSeenRoutes } from './subjects-seen.ts';
