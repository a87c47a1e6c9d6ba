import { computed, onScopeDispose, shallowReactive, shallowRef } from 'vue';
import { ApiProblem, fieldPath } from '../api/problem.ts';
import { toastDone, toastFailed } from '../ui/toasts.ts';
import { placeOfFocus } from './focus.ts';
import { forgetUnsaved } from './unsaved.ts';

/**
 * The errors of one form: the server's refusal, spread over its fields. The server knows all rules; a form repeats only
 * those that help while one types.
 * @param placeOf where a field of the API stands in a form that names its fields otherwise
 */
export function useFormErrors(placeOf: (field: string) => string = (field) => field) {
  const problem = shallowRef<unknown>();
  const isBusy = shallowRef(false);
  const paths = computed(() =>
    problem.value instanceof ApiProblem ? problem.value.fields.map(({ field }) => fieldPath(field)) : [],
  );
  const byPlace = computed(() => {
    const errors = problem.value instanceof ApiProblem ? problem.value.fields : [];
    const map = new Map<string, string>();
    for (const { field, reason } of errors) {
      const place = placeOf(fieldPath(field));
      map.set(place, [map.get(place), reason].filter(Boolean).join('; '));
    }
    return map;
  });

  /** Whoever has left the form before the answer came is told how it went, and not led on from where they are now. */
  let isLeft = false;
  onScopeDispose(() => {
    isLeft = true;
  });

  /** Fields whose errors were asked for: they show them themselves. */
  const asked = shallowReactive(new Set<string>());

  return {
    problem,
    isBusy,
    /** For the alert above the form: what stands under its field is not said twice. */
    fieldsShown: computed(() => paths.value.filter((path) => asked.has(placeOf(path)))),
    /** Where the errors stand. */
    places: computed(() => [...byPlace.value.keys()]),
    /** For a field: `v-bind="errorOf('name')"` puts its error under it. */
    errorOf: (field: string) => {
      if (!asked.has(field)) queueMicrotask(() => asked.add(field));
      const message = byPlace.value.get(field);
      return { error: message !== undefined, errorMessage: message ?? '' };
    },
    clear: () => {
      problem.value = undefined;
    },
    /** Runs what saves. @returns what it gives; undefined when it was refused, and then the errors are shown, or when nobody waits for it */
    async submit<Result>(save: () => Promise<Result>): Promise<Result | undefined> {
      if (isBusy.value) return undefined;
      const place = placeOfFocus();
      isBusy.value = true;
      problem.value = undefined;
      try {
        const result = await save();
        forgetUnsaved(place.part);
        if (!isLeft) return result;
        toastDone('What you sent is saved.');
        return undefined;
      } catch (error) {
        if (isLeft) toastFailed(error);
        // Fields that are no longer there show nothing: those that are ask again for what is wrong with them.
        asked.clear();
        problem.value = toldInForm(error);
        return undefined;
      } finally {
        isBusy.value = false;
        await (problem.value === undefined ? place.comeBack() : place.goToError());
      }
    },
  };
}

/** What a form says to the end of the session is what has become of its entries. */
function toldInForm(error: unknown): unknown {
  if (!(error instanceof ApiProblem) || error.status !== 401) return error;
  return new ApiProblem(401, 'This is not saved yet: your session had ended. Save it again.', []);
}
