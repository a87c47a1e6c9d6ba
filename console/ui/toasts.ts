import { readonly, ref } from 'vue';

/** A short message. What was done goes away by itself; what could not be done stays until it has been read. */
export interface Toast {
  key: number;
  text: string;
  appearance: 'success' | 'danger';
}

const SHOWN_FOR_MS = 6_000;
/** More at a time hide the page. */
const MAX_SHOWN = 4;
const toasts = ref<Toast[]>([]);
let lastKey = 0;

export function useToasts() {
  return { toasts: readonly(toasts), dismiss };
}

/** Tells that something was done. */
export function toastDone(text: string): void {
  show(text, 'success');
}

/** Tells that something could not be done, where no form shows it. */
export function toastFailed(error: unknown): void {
  show(error instanceof Error ? error.message : String(error), 'danger');
}

/**
 * Does what has no form to show its errors in, and tells how it went.
 * @param done said when it was done
 */
export async function toastOutcome(change: () => Promise<unknown>, done: string): Promise<void> {
  try {
    await change();
    toastDone(done);
  } catch (error) {
    toastFailed(error);
  }
}

function show(text: string, appearance: Toast['appearance']): void {
  lastKey += 1;
  const key = lastKey;
  toasts.value = [...toasts.value.slice(1 - MAX_SHOWN), { key, text, appearance }];
  if (appearance === 'success') setTimeout(() => dismiss(key), SHOWN_FOR_MS);
}

function dismiss(key: number): void {
  toasts.value = toasts.value.filter((toast) => toast.key !== key);
}
