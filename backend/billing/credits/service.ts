import { type CustomerScope, customerScope } from '../../customers/test-clocks/index.ts';
import { formatDecimal } from '../../platform/decimal.ts';
import { notFound } from '../../platform/errors.ts';
import { passesCondition } from '../../platform/http/filter-match.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Scope } from '../../platform/scope.ts';
import { adjust } from './adjust.ts';
import { toGrantBody } from './body.ts';
import type { CreditsDeps } from './deps.ts';
import { grantKeyTaken, grantNotVoidable } from './errors.ts';
import { addLot, type OpenLedger, writeLedger } from './ledger.ts';
import { voidLot } from './lots.ts';
import { checkTaxCode, creditCurrency, newGrant } from './new-grant.ts';
import { paidGrant } from './payments.ts';
import { creditRepository } from './repository.ts';
import type { AdjustmentBody, CreateAdjustment, CreateGrant, GrantBody, Settlement } from './schema.ts';
import { statusOf, whyNotVoided } from './status.ts';
import type { StoredLot } from './stored.ts';

export type GrantFilterField = 'status' | 'currency' | 'key';

export interface CreditsService {
  /** @throws RequestProblem 404 @throws DomainProblem 400; 409 when the key is in use */
  createGrant(customerId: string, request: CreateGrant): Promise<GrantBody>;
  /** The newest first. @throws RequestProblem 404 */
  listGrants(
    customerId: string,
    filters: readonly FilterCondition<GrantFilterField>[],
    page: PageRequest,
  ): Promise<{ data: GrantBody[]; meta: ReturnType<typeof pageMeta> }>;
  /** @throws RequestProblem 404 */
  getGrant(customerId: string, id: string): Promise<GrantBody>;
  /** The same status again changes nothing. @throws RequestProblem 404 @throws DomainProblem 400 */
  settle(customerId: string, id: string, request: Settlement): Promise<GrantBody>;
  /** Again changes nothing. @throws RequestProblem 404 @throws DomainProblem 409 */
  voidGrant(customerId: string, id: string): Promise<GrantBody>;
  /** @throws RequestProblem 404 @throws DomainProblem 400 */
  adjust(customerId: string, request: CreateAdjustment): Promise<AdjustmentBody>;
}

export function createCreditsService(root: Scope, deps: CreditsDeps): CreditsService {
  /** Work in one transaction, for a customer who is there. */
  const ofCustomer = async <Result>(customerId: string, work: (scope: CustomerScope) => Promise<Result>) =>
    (await customerScope(root, customerId)).transaction(async (scope) => {
      await checkCustomer(deps, scope);
      return work(scope);
    });
  /** A step about a grant. */
  const ofGrant = (customerId: string, id: string, work: (ledger: OpenLedger, grant: StoredLot) => void) =>
    ofCustomer(customerId, async (scope) => {
      const grant = await existing(scope, id);
      const currency = await creditCurrency(deps, grant.currency, scope);
      await writeLedger(scope, { currency: currency.code, digits: currency.digits }, (ledger) => work(ledger, grant));
      return toGrantBody(await existing(scope, id), scope.clock.nowMs());
    });
  return {
    createGrant: async (customerId, request) => {
      const made = await ofCustomer(customerId, (scope) => createGrant(deps, scope, request));
      if (request.funding_method !== 'invoice') return made;
      await deps.billNow(customerId);
      return ofCustomer(customerId, async (scope) => toGrantBody(await existing(scope, made.id), scope.clock.nowMs()));
    },
    listGrants: (customerId, filters, page) =>
      ofCustomer(customerId, async (scope) => {
        const nowMs = scope.clock.nowMs();
        const passing = (await creditRepository(scope).grants(customerId)).filter((grant) =>
          filters.every((condition) => passes(grant, condition, nowMs)),
        );
        const shown = passing.slice((page.number - 1) * page.size, page.number * page.size);
        return { data: shown.map((grant) => toGrantBody(grant, nowMs)), meta: pageMeta(page, passing.length) };
      }),
    getGrant: (customerId, id) =>
      ofCustomer(customerId, async (scope) => toGrantBody(await existing(scope, id), scope.clock.nowMs())),
    settle: (customerId, id, { status }) =>
      ofGrant(customerId, id, ({ stored, nowMs }, grant) => {
        const paid = paidGrant(grant, status, nowMs);
        if (paid !== grant) stored.set(id, paid);
      }),
    voidGrant: (customerId, id) =>
      ofGrant(customerId, id, ({ book, nowMs }, { lot }) => {
        if (lot.voidedAtMs !== undefined) return;
        const why = whyNotVoided(book, id, nowMs);
        if (why !== undefined) throw grantNotVoidable(id, why);
        voidLot(book, id, { nowMs, reasonId: `void:${id}` });
      }),
    adjust: (customerId, request) => ofCustomer(customerId, (scope) => adjust(deps, scope, request)),
  };
}

/** @throws RequestProblem 404 for one who is unknown or was deleted */
export async function checkCustomer(deps: CreditsDeps, scope: CustomerScope): Promise<void> {
  const customer = await deps.findCustomer(scope.customerId, scope);
  if (customer === undefined || customer.deleted_at !== undefined) throw notFound('customer', scope.customerId);
}

async function existing(scope: CustomerScope, id: string): Promise<StoredLot> {
  const grant = await creditRepository(scope).grant(scope.customerId, id);
  if (grant === undefined) throw notFound('credit grant', id);
  return grant;
}

async function createGrant(deps: CreditsDeps, scope: CustomerScope, request: CreateGrant): Promise<GrantBody> {
  const { key } = request;
  const known = key === undefined ? undefined : await creditRepository(scope).grantByKey(scope.customerId, key);
  if (key !== undefined && known !== undefined) throw grantKeyTaken(key, known.lot.id);
  const currency = await creditCurrency(deps, request.currency, scope);
  await checkTaxCode(deps, scope, request);
  const asked = await newGrant(deps, scope, request, { nowMs: scope.clock.nowMs(), seq: 0, currency });
  const ordered = await withCharge(deps, scope, asked);
  const grant = await writeLedger(scope, { currency: currency.code, digits: currency.digits }, (ledger) =>
    addLot(ledger, ordered),
  );
  return toGrantBody(grant, scope.clock.nowMs());
}

/** What is bought by invoice is charged for. */
async function withCharge(deps: CreditsDeps, scope: CustomerScope, asked: StoredLot): Promise<StoredLot> {
  const { purchase, name, lot, currency, taxConfig } = asked;
  if (purchase === undefined || lot.funding !== 'invoice') return asked;
  const chargeId = await deps.orderCredit(scope, {
    name: `${name} (${formatDecimal(lot.amount)} ${currency} credits)`.slice(-MAX_NAME),
    amount: purchase.amount,
    currency: purchase.currency,
    taxConfig,
  });
  return { ...asked, purchase: { ...purchase, chargeId } };
}

/** Of what has a name. */
const MAX_NAME = 256;

function passes(grant: StoredLot, condition: FilterCondition<GrantFilterField>, nowMs: number): boolean {
  const { field, operator, values } = condition;
  if (operator === 'exists') return (grant.key !== undefined) === (values[0] === 'true');
  return passesCondition(textOf(grant, field, nowMs), condition);
}

function textOf({ lot, currency, key = '' }: StoredLot, field: GrantFilterField, nowMs: number): string {
  if (field === 'status') return statusOf(lot, nowMs);
  return field === 'currency' ? currency : key;
}
