import { readonly, shallowRef } from 'vue';

/** Forms that save something; fields that search or filter stand in others. */
const FORM = 'form.form';
/** Around what need not be kept: a calculator that stands in such a form, what goes on without the page. */
const NOT_KEPT = '[data-not-kept]';

/** In which something was entered since they were saved. What has left the page is forgotten. */
const filled = new Set<Element>();

/** Whether a part of the page has a form whose entries would be lost with it. */
export function hasUnsaved(part: Node = document): boolean {
  for (const form of filled) if (!form.isConnected) filled.delete(form);
  return [...filled].some((form) => part.contains(form));
}

/** What was entered in a part of the page is saved, or given up. */
export function forgetUnsaved(part: Node = document): void {
  for (const form of filled) if (part.contains(form)) filled.delete(form);
}

/** What is asked before entries are lost. */
const question = shallowRef<{ answer: (isLeaving: boolean) => void }>();
export const leaveQuestion = readonly(question);

/** Asks whether what was entered in a part of the page may be lost. @returns true also when there is nothing */
export async function mayLose(part: Node = document): Promise<boolean> {
  if (!hasUnsaved(part)) return true;
  // A later question takes the place of one that is open: that one's way is not gone.
  question.value?.answer(false);
  const isLeaving = await new Promise<boolean>((resolve) => {
    const asked = {
      answer: (isLeaving: boolean) => {
        if (question.value === asked) question.value = undefined;
        resolve(isLeaving);
      },
    };
    question.value = asked;
  });
  if (isLeaving) forgetUnsaved(part);
  return isLeaving;
}

/** Watches what is entered, and has the browser ask before the page is closed or loaded anew. */
export function watchUnsaved(): void {
  const entered = ({ target }: Event) => {
    if (!(target instanceof Element) || target.closest(NOT_KEPT) !== null) return;
    const form = target.closest(FORM);
    if (form !== null) filled.add(form);
  };
  document.addEventListener('input', entered, { capture: true });
  document.addEventListener('change', entered, { capture: true });
  window.addEventListener('beforeunload', (event) => {
    if (hasUnsaved()) event.preventDefault();
  });
}
