import { appendFileSync } from 'node:fs';

/** As nginx does, for each request that is over: see plugin/delivery/served/requests-log.ts. */
export function serve(path: string, requests = 1): void {
  appendFileSync(path, '\n'.repeat(requests));
}
