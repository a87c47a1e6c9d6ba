import { nextTick, type Ref, watch } from 'vue';

const FIELDS = ['input', 'select', 'textarea'].map((name) => `${name}:not(:disabled)`).join(', ');
const WRONG_FIELDS = '[aria-invalid="true"], [data-invalid] input';

/** Puts the focus on the first wrong field of a part of the page; all that are folded away are opened up. */
export function focusFirstError(part: ParentNode): boolean {
  for (const field of part.querySelectorAll(WRONG_FIELDS)) {
    const fold = field.closest('details');
    if (fold !== null) fold.open = true;
  }
  return focusFirst(part, WRONG_FIELDS);
}

/** Where one goes on in a part of the page: at its first wrong field, else at its first one. */
export function focusFirstField(part: ParentNode): boolean {
  return focusFirstError(part) || focusFirst(part, FIELDS);
}

/** In a form of several steps: when the step changes, one goes on at its beginning, not at the button that was pressed. */
export function useStepFocus(step: Ref<number>, form: Readonly<Ref<HTMLElement | null>>): void {
  watch(
    step,
    () => {
      if (form.value !== null && !focusFirstField(form.value)) form.value.focus();
    },
    { flush: 'post' },
  );
}

/** Where one is when a form is sent: to be called before anything of it is disabled. */
export function placeOfFocus() {
  const origin = document.activeElement;
  const form = origin?.closest('dialog, form') ?? document;
  return {
    /** What is sent: a dialog with its form, a form, or, by a button elsewhere, the page. */
    part: form.querySelector('form') === null && !(form instanceof HTMLFormElement) ? document : form,
    /** A button that was disabled meanwhile has lost the focus: it gets it back. */
    async comeBack(): Promise<void> {
      await nextTick();
      if (document.activeElement === document.body && origin instanceof HTMLElement) origin.focus();
    },
    /** To the first field that was refused; where no field shows the reason, to the alert that does. */
    async goToError(): Promise<void> {
      await nextTick();
      if (!focusFirstError(form)) focusFirst(form, '[role="alert"]');
    },
  };
}

function focusFirst(part: ParentNode, selector: string): boolean {
  const found = part.querySelector<HTMLElement>(selector);
  found?.focus();
  return found !== null;
}
