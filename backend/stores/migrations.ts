import { fileURLToPath } from 'node:url';

/** Of the control plane; both engines have the same. */
export const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url));
