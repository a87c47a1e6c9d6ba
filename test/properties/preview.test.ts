import { expect, test } from 'vitest';
import { openStory, type Story } from '../scenarios/billing/story.ts';
import { fc } from '../support/property.ts';
import {
  act,
  collectedAt,
  DAY_MS,
  HOUR_MS,
  intervalMs,
  iso,
  type Life,
  type Living,
  lives,
  useRandomProfile,
} from './billing-lives.ts';

/**
 * Whatever a customer has been through, the preview is what the next invoice brings if nothing more happens: the same lines
 * with the same numbers, at the instant that it says and not before. Both are held against each other in the middle of a life
 * and at its end, in each currency.
 */
const isLong = process.env['LONG'] === '1';
const SHORT_RUNS = 8;
const RUNS = Number(process.env['PREVIEW_LIVES'] ?? (isLong ? 2000 : SHORT_RUNS));
const START_MS = Date.UTC(2026, 0, 1);

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; each answer is held against the contract
type Json = any;

/** What was compared, so that nobody believes in a test that compares nothing. */
const compared = { bills: 0, empty: 0, beforeDrafts: 0 };

async function live({ plans, profile, currency, label, steps }: Life): Promise<void> {
  const labels = label === '' ? {} : { labels: { 'sandbox-payment': label } };
  const story = await openStory(iso(START_MS), { ...labels, ...(currency !== undefined && { currency }) });
  try {
    const living: Living = { story, plans: [], profile, events: [] };
    await useRandomProfile(living, profile);
    for (const [index, plan] of plans.entries()) living.plans.push(await story.plan(`p${index}`, [], plan));
    await story.subscribe(living.plans[0]);
    for (const { hours, step } of steps) {
      story.backend.clock.set(iso(story.backend.clock.nowMs() + hours * HOUR_MS));
      if (step.kind === 'compare') await compare(living);
      else await act(living, step);
    }
    await compare(living);
  } finally {
    await story.close();
  }
}

/** Goes on until each preview has become an invoice. */
async function compare(living: Living): Promise<void> {
  const { story } = living;
  const before = new Set<string>();
  const nowMs = story.backend.clock.nowMs();
  const previews: Json[] = [];
  for (const currency of ['USD', 'EUR']) previews.push(await story.preview(`?currency=${currency}`));
  for (const { id } of await story.invoices()) before.add(id);
  const made = async (currency: string) =>
    (await story.invoices()).filter((one) => one.currency === currency && !before.has(one.id)).sort(byId)[0];
  const plan = previews
    .filter(({ collection_at }) => collection_at !== undefined)
    .map((preview) => whenMade(preview, living, nowMs));
  for (const { preview, dueMs } of plan.sort((a, b) => a.collectedMs - b.collectedMs)) {
    await wakeDrafts(story, dueMs);
    if (dueMs > story.backend.clock.nowMs()) {
      await story.at(iso(dueMs - 1));
      expect(await made(preview.currency), `made before ${iso(dueMs)}`).toBeUndefined();
    }
    await billAt(story, dueMs);
  }
  for (const { preview, collectedMs } of plan) {
    await wakeDrafts(story, collectedMs);
    await billAt(story, collectedMs);
    // What was issued is counted again within a day.
    if ((await made(preview.currency)) === undefined) await billAt(story, collectedMs + DAY_MS);
    const invoice = await taken(story, () => made(preview.currency));
    compared.bills += 1;
    if (before.size > 0) compared.beforeDrafts += 1;
    expect(numbersOf(invoice ?? EMPTY)).toEqual(numbersOf(preview));
  }
  for (const { currency } of previews.filter(({ collection_at }) => collection_at === undefined)) {
    compared.empty += 1;
    if (plan.length === 0) await billAt(story, story.backend.clock.nowMs() + 40 * DAY_MS);
    expect(await made(currency)).toBeUndefined();
  }
}

/** A part of a period waits for the parts before it, which may be collected later than it should be itself. */
async function taken(story: Story, find: () => Promise<Json>): Promise<Json> {
  for (;;) {
    const invoice = await find();
    if (invoice?.status_details.extended_status !== 'draft.waiting_for_collection') return invoice;
    const nextMs = await nextWakeMs(story);
    if (nextMs === undefined) return invoice;
    await billAt(story, nextMs);
  }
}

const isCorrection = ({ name }: Json) => name.includes(': ');
const EMPTY = { lines: [], totals: {} };
const byId = (a: Json, b: Json) => (a.id < b.id ? -1 : 1);

/** When the invoice is made that a preview is of, and when its quantities are taken. */
function whenMade(preview: Json, { profile }: Living, nowMs: number) {
  const collectedMs = Math.max(Date.parse(preview.collection_at), nowMs);
  // What is only corrected is due when it is found.
  if (preview.lines.every(isCorrection)) return { preview, collectedMs, dueMs: collectedMs };
  const isMetered = preview.lines.some(({ rate_card }: Json) => rate_card?.feature_key !== undefined);
  const lastDueMs = Date.parse(preview.collection_at) - (isMetered ? intervalMs(profile) : 0);
  return { preview, collectedMs, dueMs: Math.max(collectedAt(lastDueMs, profile), nowMs) };
}

/** When a draft has something to wait for, after now. */
async function nextWakeMs(story: Story): Promise<number | undefined> {
  const drafts = (await story.invoices()).filter(({ status }) => status === 'draft');
  const instants = drafts.flatMap((one) => [one.collection_at, one.draft_until]).filter((text) => text !== undefined);
  const later = instants.map(Date.parse).filter((ms) => ms > story.backend.clock.nowMs());
  return later.length === 0 ? undefined : Math.min(...later);
}

/** Bills everybody whenever a draft has something to wait for, up to an instant. */
async function wakeDrafts(story: Story, untilMs: number): Promise<void> {
  for (;;) {
    const nextMs = await nextWakeMs(story);
    if (nextMs === undefined || nextMs >= untilMs) return;
    await billAt(story, nextMs);
  }
}

async function billAt(story: Story, atMs: number): Promise<void> {
  if (atMs >= story.backend.clock.nowMs()) await story.at(iso(atMs));
}

/** Everything of an invoice that is money, quantity or time. */
function numbersOf({ totals, lines }: Json): Json {
  const texts = lines.map((line: Json) => {
    const { from, to } = line.service_period;
    const details = line.detailed_lines.map(
      (one: Json) => `${one.name} ${one.quantity}×${one.unit_price}=${one.totals.total}`,
    );
    return `${line.name} ${from}..${to} ${line.totals.total}: ${details.join(', ')}`;
  });
  return { total: totals.total, lines: texts.sort() };
}

test(
  'the preview is what the next invoice brings if nothing more happens',
  async () => {
    await fc.assert(fc.asyncProperty(lives, live), { numRuns: RUNS, endOnFailure: !isLong });
    expect(compared.bills).toBeGreaterThan(RUNS / 2);
    if (RUNS > SHORT_RUNS) process.stdout.write(`${RUNS} lives, ${JSON.stringify(compared)}\n`);
  },
  120_000 + RUNS * 10_000,
);
