import { expect, test } from 'vitest';
import { judgeFirst, lastBelow } from '../../../collectors/prometheus/first-values.ts';

interface Case {
  readonly scrapesMs?: readonly number[];
  readonly neighbours?: readonly { readonly firstMs: number; readonly lastMs: number }[];
  readonly bornMs?: number;
}
/** Scrapes at 10, 20, 30 …; we look since 15, and the series comes at 50. */
const verdictOf = ({ scrapesMs = [], neighbours = [], bornMs }: Case) =>
  judgeFirst({
    firstMs: 50,
    sinceMs: 15,
    scrapedMs: lastBelow(scrapesMs, 50),
    otherMs: neighbours.length === 0 ? undefined : Math.min(...neighbours.map(({ firstMs }) => firstMs)),
    wentMs: lastBelow(neighbours.map(({ lastMs }) => lastMs).sort(), 50),
    bornMs,
  });
const ALL = [20, 30, 40, 50, 60];

test.each<[string, Case, string]>([
  ['nothing is known of it', {}, 'unknown'],
  ['its target was scraped without it', { scrapesMs: ALL }, 'counts'],
  ['its target was scraped with it for the first time', { scrapesMs: [50, 60] }, 'unknown'],
  ['its target was scraped before we looked only', { scrapesMs: [10, 50] }, 'unknown'],
  ['another series of its target was there before, and is', { neighbours: [{ firstMs: 20, lastMs: 60 }] }, 'counts'],
  ['all of its target are new', { neighbours: [{ firstMs: 50, lastMs: 60 }], scrapesMs: [50, 60] }, 'unknown'],
  ['another went as it came', { scrapesMs: ALL, neighbours: [{ firstMs: 20, lastMs: 40 }] }, 'relabelled'],
  ['another went a scrape before it came', { scrapesMs: ALL, neighbours: [{ firstMs: 20, lastMs: 30 }] }, 'counts'],
  [
    'another went as it came, but it was born later',
    { scrapesMs: ALL, neighbours: [{ firstMs: 20, lastMs: 40 }], bornMs: 45 },
    'counts',
  ],
  [
    'another went as it came, and it was born before that',
    { neighbours: [{ firstMs: 20, lastMs: 40 }], bornMs: 39 },
    'relabelled',
  ],
  ['a new target says that it is young', { bornMs: 16 }, 'counts'],
  ['a new target says that it is older than we look', { bornMs: 14 }, 'unknown'],
  [
    'nothing was scraped for long, and another was there before',
    {
      neighbours: [
        { firstMs: 5, lastMs: 5 },
        { firstMs: 5, lastMs: 60 },
      ],
      scrapesMs: [50, 60],
    },
    'relabelled',
  ],
])('%s', (_name, more, verdict) => {
  expect(verdictOf(more)).toBe(verdict);
});
