/**
 * When what has the focus is removed, as the row that was deleted, the browser leaves the focus nowhere, and Tab begins at
 * the top again. Here it goes to the nearest thing around it that is still there and can have it.
 * @param root where this is watched; it can have the focus itself
 * @returns ends it
 */
export function keepFocus(root: HTMLElement): () => void {
  let around: HTMLElement[] = [];
  const remember = ({ target }: FocusEvent) => {
    around = [];
    for (let element = target as HTMLElement | null; element !== null; element = element.parentElement) {
      around.push(element);
      if (element === root) return;
    }
  };
  const observer = new MutationObserver(() => {
    if (document.activeElement !== document.body || around[0] === undefined || around[0].isConnected) return;
    const next = around.find((element) => element.isConnected && element.hasAttribute('tabindex'));
    around = [];
    next?.focus({ preventScroll: true });
  });
  root.addEventListener('focusin', remember);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener('focusin', remember);
    observer.disconnect();
  };
}
