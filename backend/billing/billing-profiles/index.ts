export {
  type BilledCustomer,
  type CheckStripeData,
  type CustomerBillingService,
  createCustomerBilling,
  type StripeData,
} from './customer-billing.ts';
export { documentSettingsRoutes } from './document-routes.ts';
export {
  type CustomerDocumentSettings,
  type DocumentSettings,
  documentSettingsSchema,
  type InvoiceDocumentSettings,
  type Language,
  type Numbering,
} from './document-schema.ts';
export { profileProblem } from './errors.ts';
export { PROFILE_OF_CUSTOMER_SQL, type StoredProfile } from './repository.ts';
export { customerBillingRoutes, profileRoutes } from './routes.ts';
export {
  type AdjustmentSettings,
  appReferenceSchema,
  type BillingProfile,
  profileReferenceSchema,
} from './schema.ts';
export { createProfilesService, type ProfileHooks, type ProfilesService } from './service.ts';
export { type InvoiceSupplier, invoiceSupplierSchema } from './supplier-schema.ts';
export { invoiceInvoicingSchema, paymentSchema, type Workflow } from './workflow-schema.ts';
