import { QueryClient } from '@tanstack/vue-query';
import { ApiProblem } from './problem.ts';

/** Reading again helps when the network or the server failed, not when the request was wrong. */
const MAX_RETRIES = 2;

/** How the console reads: what is on the screen is refreshed when one comes back to the window. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) =>
          count < MAX_RETRIES && (!(error instanceof ApiProblem) || error.status === 0 || error.status >= 500),
      },
    },
  });
}
