import { shallowRef } from 'vue';
import { toastDone } from '../ui/toasts.ts';
import { placeOfFocus } from './focus.ts';
import { forgetUnsaved } from './unsaved.ts';

/**
 * Changes that a page offers by buttons, some after a dialog has asked: one at a time; what went wrong is shown on the page.
 * @template Dialog what the page asks about
 */
export function usePageChanges<Dialog>() {
  const problem = shallowRef<unknown>();
  const asking = shallowRef<Dialog>();
  const isBusy = shallowRef(false);

  return {
    /** Why the last change was refused. */
    problem,
    /** The dialog that is open. */
    asking,
    isBusy,
    /** Makes a change and closes the dialog. @param done said when it was done; none: its result is seen */
    async run(change: () => Promise<unknown>, done?: string): Promise<void> {
      if (isBusy.value) return;
      const place = placeOfFocus();
      isBusy.value = true;
      problem.value = undefined;
      try {
        await change();
        forgetUnsaved(place.part);
        if (done !== undefined) toastDone(done);
      } catch (error) {
        problem.value = error;
      }
      isBusy.value = false;
      asking.value = undefined;
      await place.comeBack();
    },
  };
}

export type PageChanges<Dialog> = ReturnType<typeof usePageChanges<Dialog>>;
