import type { DomainProblem } from '../../platform/errors.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import { formatInstant, parseInstant } from '../../platform/instant.ts';
import { addDuration, durationFrom } from '../../platform/period/index.ts';
import type { Scope } from '../../platform/scope.ts';
import {
  backwards,
  customerWasDeleted,
  movedMeanwhile,
  outOfCalendar,
  testClockNotFound,
  tooFar,
  tooManyTestClocks,
} from './errors.ts';
import { type StoredTestClock, testClockRepository } from './repository.ts';
import type { AdvanceTestClock, TestClockBody, TestClockPage } from './schema.ts';

/** Lists carry them as parameters of one statement, and a sandbox needs a handful. */
const MAX_TEST_CLOCKS = 500;
/** A year and a leap day more: each day is a round of everything that happens at night. */
const MAX_MOVE_DAYS = 400;
const DAY_MS = 86_400_000;
const EARLIEST_MS = 0;
const LATEST_MS = Date.UTC(2200, 0, 1);

/** What modules above have to do with test clocks. */
export interface TestClockHooks {
  /** @throws RequestProblem 404 when there is no such customer */
  findCustomer(id: string, scope: Scope): Promise<{ deleted_at?: string | undefined }>;
  /**
   * Why the customer may not get another time than it has (subscriptions, invoices: they would lie in a past or a future
   * that never was); undefined when it may. Asked inside the transaction, with its scope.
   */
  blocksTimeTravel(customerId: string, scope: Scope): Promise<DomainProblem | undefined>;
  /** Everything that is due at the customer's new now is to be done, in the order of time; awaited day by day. */
  onMove(customerId: string, nowMs: number): Promise<void>;
}

export interface TestClocksService {
  /** In the order of their customers. */
  list(filters: readonly FilterCondition<'customer_id'>[], page: PageRequest): Promise<TestClockPage>;
  /** @throws RequestProblem 404 when the customer lives in real time */
  get(customerId: string): Promise<TestClockBody>;
  /**
   * Makes the customer a sandbox one that lives at `now`, or moves its clock there.
   * @throws RequestProblem 400, 404, 410 @throws DomainProblem 409, and what a blocker says
   */
  put(customerId: string, now: string): Promise<TestClockBody>;
  /** Moves the clock forward. @throws RequestProblem 400, 404 @throws DomainProblem 409 */
  advance(customerId: string, request: AdvanceTestClock): Promise<TestClockBody>;
  /** The customer lives in real time again. Twice does nothing. @throws RequestProblem 404 @throws DomainProblem */
  remove(customerId: string): Promise<void>;
}

/** Customers on a clock of their own, to watch months go by while everybody else's time runs as ever. */
export function createTestClocksService(deps: { scope: Scope; hooks: TestClockHooks }): TestClocksService {
  const { scope, hooks } = deps;
  const existing = async (customerId: string) => {
    await hooks.findCustomer(customerId, scope);
    const found = await testClockRepository(scope).byCustomer(customerId);
    if (found === undefined) throw testClockNotFound(customerId);
    return found;
  };
  const moveTo = async (found: StoredTestClock, toMs: number, field: string) => {
    checkMove(found.nowMs, toMs, field);
    // Moved to where it stands: what an interrupted move left undone is done.
    if (toMs === found.nowMs) await hooks.onMove(found.customerId, toMs);
    await moveByDays(deps, found, toMs);
    return toBody(await existing(found.customerId));
  };
  return {
    list: async (filters, page) => {
      const { clocks, total } = await testClockRepository(scope).page(filters, page);
      return { data: clocks.map(toBody), meta: pageMeta(page, total) };
    },
    get: async (customerId) => toBody(await existing(customerId)),
    put: async (customerId, now) => {
      const toMs = checkedInstant(now, 'now');
      const found = await scope.transaction((scope) => setUnlessBlocked(scope, hooks, customerId, toMs));
      return found.nowMs === toMs ? toBody(found) : moveTo(found, toMs, 'now');
    },
    advance: async (customerId, { to, by }) => {
      const found = await existing(customerId);
      if (by !== undefined) return moveTo(found, addDuration(found.nowMs, durationFrom(by)), 'by');
      return moveTo(found, checkedInstant(to ?? '', 'to'), 'to');
    },
    remove: (customerId) =>
      scope.transaction(async (scope) => {
        const customer = await hooks.findCustomer(customerId, scope);
        if ((await testClockRepository(scope).byCustomer(customerId)) === undefined) return;
        const blocked = customer.deleted_at === undefined && (await hooks.blocksTimeTravel(customerId, scope));
        if (blocked) throw blocked;
        await testClockRepository(scope).remove(customerId);
      }),
  };
}

/** @returns the clock as it is afterwards: at `toMs`, or, of a customer who has a past, where it stood */
async function setUnlessBlocked(
  scope: Scope,
  hooks: TestClockHooks,
  customerId: string,
  toMs: number,
): Promise<StoredTestClock> {
  const customer = await hooks.findCustomer(customerId, scope);
  if (customer.deleted_at !== undefined) throw customerWasDeleted(customerId);
  const clocks = testClockRepository(scope);
  const found = await clocks.byCustomer(customerId);
  if (found?.nowMs === toMs) return found;
  const blocked = await hooks.blocksTimeTravel(customerId, scope);
  if (blocked !== undefined) {
    if (found === undefined) throw blocked;
    return found;
  }
  if (found === undefined && (await clocks.count()) >= MAX_TEST_CLOCKS) throw tooManyTestClocks(MAX_TEST_CLOCKS);
  const nowMs = scope.clock.nowMs();
  const set = { customerId, nowMs: toMs, createdAtMs: found?.createdAtMs ?? nowMs, updatedAtMs: nowMs };
  await clocks.remove(customerId);
  await clocks.insert(set);
  return set;
}

/**
 * Time passes a day at a time, so that what falls due on the way is done on its day, as it would be in reality. When it
 * is interrupted, the clock stands at a day on the way, and moving it again goes on from there.
 */
async function moveByDays(
  { scope, hooks }: { scope: Scope; hooks: TestClockHooks },
  found: StoredTestClock,
  toMs: number,
): Promise<void> {
  const { customerId } = found;
  let atMs = found.nowMs;
  while (atMs < toMs) {
    const nextMs = Math.min((Math.floor(atMs / DAY_MS) + 1) * DAY_MS, toMs);
    if (!(await testClockRepository(scope).move(customerId, atMs, nextMs, scope.clock.nowMs()))) {
      throw movedMeanwhile(customerId);
    }
    await hooks.onMove(customerId, nextMs);
    atMs = nextMs;
  }
}

function checkMove(fromMs: number, toMs: number, field: string): void {
  if (toMs < fromMs) throw backwards(field, fromMs);
  if (toMs > LATEST_MS) throw outOfCalendar(field);
  if (toMs - fromMs > MAX_MOVE_DAYS * DAY_MS) throw tooFar(field, MAX_MOVE_DAYS);
}

function checkedInstant(text: string, field: string): number {
  const atMs = parseInstant(text) ?? Number.NaN;
  if (!(atMs >= EARLIEST_MS && atMs <= LATEST_MS)) throw outOfCalendar(field);
  return atMs;
}

function toBody({ customerId, nowMs, createdAtMs, updatedAtMs }: StoredTestClock): TestClockBody {
  return {
    customer_id: customerId,
    now: formatInstant(nowMs),
    created_at: formatInstant(createdAtMs),
    updated_at: formatInstant(updatedAtMs),
  };
}
