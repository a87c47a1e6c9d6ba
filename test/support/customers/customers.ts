import { create, type Json } from '../answers.ts';
import type { TestBackend } from '../backend.ts';

/** A customer whose events have its key as their subject. */
export const createCustomer = (t: TestBackend, key: string, fields: Record<string, unknown> = {}): Promise<Json> =>
  create(t, '/customers', { key, name: key, currency: 'USD', ...fields });
