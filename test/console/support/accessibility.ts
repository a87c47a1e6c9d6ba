import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResults {
  violations: { id: string; impact: string; help: string; nodes: { target: unknown; failureSummary: string }[] }[];
}

/** What axe-core calls serious or critical on the page as it stands. */
export async function seriousViolations(page: Page): Promise<{ id: string; help: string; nodes: unknown[] }[]> {
  // Through the debugger, since the page's own policy lets no foreign script in; it stays until the page is loaded anew.
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(AXE);
  // Only what is wrong is gathered: of what is right there are hundreds of elements on each page.
  const results = (await page.evaluate(
    `axe.run(document, {
       runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
       resultTypes: ['violations'],
     })`,
  )) as AxeResults;
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => node.target).slice(0, 5) }));
}

/** Fails on what axe-core calls serious or critical. */
export async function expectAccessible(page: Page): Promise<void> {
  expect(await seriousViolations(page), page.url()).toEqual([]);
}
