export { auditLogRoutes } from './routes.ts';
export { type AuditLog, createAuditLog } from './service.ts';
