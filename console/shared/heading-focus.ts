/** Whether the heading of the page that comes next is to have the focus. */
let isAwaited = false;

/**
 * Another page is about to be shown. Its heading gets the focus: it is read out, and Tab goes on from there rather than
 * from a link that is no more. Not for the first page: the browser begins at its top.
 */
export function awaitHeading(): void {
  isAwaited = true;
}

/** For a heading that has just been shown. */
export function takeFocus(heading: HTMLElement | null): void {
  if (!isAwaited) return;
  isAwaited = false;
  heading?.focus({ preventScroll: true });
}
