import { useQuery } from '@tanstack/vue-query';
import { rangeOf } from '../shared/ranges.ts';
import { api, call } from './client.ts';

/** More subjects than this are found by typing them. */
const MAX_SUBJECTS = '500';

/** Subjects with events in the last twelve months, those with the most events first. */
export function useSeenSubjects() {
  return useQuery({
    queryKey: ['subjects', 'seen'],
    queryFn: async ({ signal }) => {
      const query = { ...rangeOf('12m'), limit: MAX_SUBJECTS };
      const { data } = await call(api.GET('/v3/openmeter/events/subjects', { params: { query }, signal }));
      return data.map(({ subject }) => subject);
    },
  });
}
