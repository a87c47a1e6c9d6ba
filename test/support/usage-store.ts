import { openSqliteUsageStore } from '../../backend/metering/usage-store/index.ts';
import { createThreads } from '../../backend/platform/threads.ts';

type Open = typeof openSqliteUsageStore;

/** Threads for all stores of the process, one after another: starting some for each takes longer than most tests do. */
const threads = createThreads({ keptIdle: 8 });

/** A usage store on threads that other tests have used before. */
export const openTestUsageStore: Open = (path, clock, options) =>
  openSqliteUsageStore(path, clock, { threads, ...options });
