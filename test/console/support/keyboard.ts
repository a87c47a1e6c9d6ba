import type { Page } from 'playwright-core';

/** What has the focus: its tag and the name that assistive technology tells. "body" when nothing has. */
const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { tag: 'body', name: '' };
  const label = element.labels?.[0]?.textContent ?? element.textContent;
  const name = (element.getAttribute('aria-label') ?? label).trim().replace(/\\s+/g, ' ');
  return { tag: element.tagName.toLowerCase(), name };
})()`;

/** Whether the element that had the focus before looks otherwise now: else nobody saw that it had it. */
const UNSEEN = `(() => {
  const look = (element) => {
    const { outline, outlineWidth, boxShadow, left } = getComputedStyle(element);
    return [outline, outlineWidth, boxShadow, left].join();
  };
  const { element, focused } = window.lastFocused ?? {};
  const now = document.activeElement;
  // A field for a date has several stops inside: it is looked at when one comes to the first.
  // A dialog that opens meanwhile takes the focus to itself; Tab never comes to it.
  const isStop = now !== document.body && now.tabIndex >= 0;
  if (element !== now) window.lastFocused = isStop ? { element: now, focused: look(now) } : undefined;
  const isUnseen = element?.isConnected && element !== now && look(element) === focused;
  return isUnseen ? element.outerHTML.slice(0, 200) : undefined;
})()`;

/** More stops than any page has on the way to something. */
const MAX_STOPS = 150;

/** Uses a page by its keys alone. */
export interface Keyboard {
  focused(): Promise<{ tag: string; name: string }>;
  press(...keys: string[]): Promise<void>;
  type(text: string): Promise<void>;
  /** Goes on with Tab until what has this name has the focus. @throws Error that lists the stops, when none has it */
  tabTo(name: string | RegExp, key?: 'Tab' | 'Shift+Tab'): Promise<void>;
  /** Stops that looked the same with the focus as without. */
  unseen: ReadonlySet<string>;
}

export function keyboardOf(page: Page): Keyboard {
  const unseen = new Set<string>();
  const focused = () => page.evaluate(FOCUSED) as Promise<{ tag: string; name: string }>;
  return {
    focused,
    unseen,
    press: async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    },
    type: (text) => page.keyboard.type(text),
    tabTo: async (name, key = 'Tab') => {
      const stops: string[] = [];
      for (let stop = 0; stop < MAX_STOPS; stop++) {
        await page.keyboard.press(key);
        const found = (await page.evaluate(UNSEEN)) as string | undefined;
        if (found !== undefined) unseen.add(found);
        const at = await focused();
        if (typeof name === 'string' ? at.name === name : name.test(at.name)) return;
        stops.push(`${at.tag} ${at.name.slice(0, 60)}`);
      }
      throw new Error(`Tab does not reach ${name}: ${stops.join(' | ')}`);
    },
  };
}
