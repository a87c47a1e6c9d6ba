import { describe, expect, test } from 'vitest';
import {
  type ExtendedStatus,
  type Facts,
  isEditable,
  isExtendedStatus,
  isFailed,
  isFinal,
  isImmutable,
  nextStatus,
  STATES,
  statusOf,
  type Trigger,
  transition,
} from '../../../../backend/billing/invoice-records/states.ts';

const READY: Facts = {
  nowMs: 1000,
  collectionAtMs: undefined,
  draftUntilMs: 1000,
  hasCriticalIssue: false,
  hasLines: true,
  isDraftSynced: true,
  isFinalized: true,
};

/** Every transition, written down a second time: status, trigger, where it leads. */
const TRANSITIONS: readonly [ExtendedStatus, Trigger, ExtendedStatus][] = [
  ['draft.created', 'next', 'draft.waiting_for_collection'],
  ['draft.created', 'failed', 'draft.invalid'],
  ['draft.created', 'update', 'draft.updating'],
  ['draft.created', 'delete', 'delete.in_progress'],
  ['draft.waiting_for_collection', 'next', 'draft.collecting'],
  ['draft.waiting_for_collection', 'snapshot_quantities', 'draft.collecting'],
  ['draft.waiting_for_collection', 'update', 'draft.updating'],
  ['draft.waiting_for_collection', 'delete', 'delete.in_progress'],
  ['draft.collecting', 'next', 'draft.validating'],
  ['draft.collecting', 'failed', 'draft.invalid'],
  ['draft.collecting', 'update', 'draft.updating'],
  ['draft.collecting', 'delete', 'delete.in_progress'],
  ['draft.updating', 'next', 'draft.waiting_for_collection'],
  ['draft.updating', 'failed', 'draft.invalid'],
  ['draft.updating', 'delete', 'delete.in_progress'],
  ['draft.validating', 'next', 'draft.syncing'],
  ['draft.validating', 'failed', 'draft.invalid'],
  ['draft.validating', 'update', 'draft.updating'],
  ['draft.validating', 'delete', 'delete.in_progress'],
  ['draft.invalid', 'retry', 'draft.updating'],
  ['draft.invalid', 'update', 'draft.updating'],
  ['draft.invalid', 'delete', 'delete.in_progress'],
  ['draft.syncing', 'next', 'draft.waiting_auto_approval'],
  ['draft.syncing', 'failed', 'draft.sync_failed'],
  ['draft.syncing', 'delete', 'delete.in_progress'],
  ['draft.sync_failed', 'retry', 'draft.validating'],
  ['draft.sync_failed', 'update', 'draft.updating'],
  ['draft.sync_failed', 'delete', 'delete.in_progress'],
  ['draft.waiting_auto_approval', 'next', 'draft.ready_to_issue'],
  ['draft.waiting_auto_approval', 'approve', 'draft.ready_to_issue'],
  ['draft.waiting_auto_approval', 'update', 'draft.updating'],
  ['draft.waiting_auto_approval', 'delete', 'delete.in_progress'],
  ['draft.manual_approval_needed', 'approve', 'draft.ready_to_issue'],
  ['draft.manual_approval_needed', 'update', 'draft.updating'],
  ['draft.manual_approval_needed', 'delete', 'delete.in_progress'],
  ['draft.ready_to_issue', 'next', 'issuing.line_finalization'],
  ['draft.ready_to_issue', 'update', 'draft.updating'],
  ['draft.ready_to_issue', 'delete', 'delete.in_progress'],
  ['issuing.line_finalization', 'next', 'issuing.syncing'],
  ['issuing.line_finalization', 'failed', 'issuing.line_finalization_failed'],
  ['issuing.line_finalization', 'delete', 'delete.in_progress'],
  ['issuing.line_finalization_failed', 'retry', 'issuing.line_finalization'],
  ['issuing.line_finalization_failed', 'delete', 'delete.in_progress'],
  ['issuing.syncing', 'next', 'issuing.charge_booking'],
  ['issuing.syncing', 'failed', 'issuing.failed'],
  ['issuing.syncing', 'delete', 'delete.in_progress'],
  ['issuing.failed', 'retry', 'issuing.syncing'],
  ['issuing.failed', 'delete', 'delete.in_progress'],
  ['issuing.charge_booking', 'next', 'issued'],
  ['issuing.charge_booking', 'failed', 'issuing.charge_booking_failed'],
  ['issuing.charge_booking', 'delete', 'delete.in_progress'],
  ['issuing.charge_booking_failed', 'retry', 'issuing.charge_booking'],
  ['issuing.charge_booking_failed', 'delete', 'delete.in_progress'],
  ['issued', 'next', 'payment_processing.pending'],
  ['issued', 'void', 'voided'],
  ['payment_processing.pending', 'authorized', 'payment_processing.booking_authorized'],
  ['payment_processing.pending', 'paid', 'payment_processing.booking_authorized_and_settled'],
  ['payment_processing.pending', 'failed', 'payment_processing.failed'],
  ['payment_processing.pending', 'uncollectible', 'uncollectible'],
  ['payment_processing.pending', 'overdue', 'overdue'],
  ['payment_processing.pending', 'action_required', 'payment_processing.action_required'],
  ['payment_processing.pending', 'void', 'voided'],
  ['payment_processing.booking_authorized', 'next', 'payment_processing.authorized'],
  ['payment_processing.booking_authorized', 'failed', 'payment_processing.booking_authorized_failed'],
  ['payment_processing.booking_authorized', 'void', 'voided'],
  ['payment_processing.booking_authorized_failed', 'retry', 'payment_processing.booking_authorized'],
  ['payment_processing.booking_authorized_failed', 'void', 'voided'],
  ['payment_processing.authorized', 'paid', 'payment_processing.booking_settled'],
  ['payment_processing.authorized', 'failed', 'payment_processing.failed'],
  ['payment_processing.authorized', 'uncollectible', 'uncollectible'],
  ['payment_processing.authorized', 'overdue', 'overdue'],
  ['payment_processing.authorized', 'action_required', 'payment_processing.action_required'],
  ['payment_processing.authorized', 'void', 'voided'],
  ['payment_processing.booking_settled', 'next', 'paid'],
  ['payment_processing.booking_settled', 'failed', 'payment_processing.booking_settled_failed'],
  ['payment_processing.booking_settled', 'void', 'voided'],
  ['payment_processing.booking_settled_failed', 'retry', 'payment_processing.booking_settled'],
  ['payment_processing.booking_settled_failed', 'void', 'voided'],
  ['payment_processing.booking_authorized_and_settled', 'next', 'paid'],
  [
    'payment_processing.booking_authorized_and_settled',
    'failed',
    'payment_processing.booking_authorized_and_settled_failed',
  ],
  ['payment_processing.booking_authorized_and_settled', 'void', 'voided'],
  [
    'payment_processing.booking_authorized_and_settled_failed',
    'retry',
    'payment_processing.booking_authorized_and_settled',
  ],
  ['payment_processing.booking_authorized_and_settled_failed', 'void', 'voided'],
  ['payment_processing.failed', 'authorized', 'payment_processing.booking_authorized'],
  ['payment_processing.failed', 'paid', 'payment_processing.booking_authorized_and_settled'],
  ['payment_processing.failed', 'retry', 'payment_processing.pending'],
  ['payment_processing.failed', 'overdue', 'overdue'],
  ['payment_processing.failed', 'uncollectible', 'uncollectible'],
  ['payment_processing.failed', 'action_required', 'payment_processing.action_required'],
  ['payment_processing.failed', 'void', 'voided'],
  ['payment_processing.action_required', 'authorized', 'payment_processing.booking_authorized'],
  ['payment_processing.action_required', 'paid', 'payment_processing.booking_authorized_and_settled'],
  ['payment_processing.action_required', 'failed', 'payment_processing.failed'],
  ['payment_processing.action_required', 'retry', 'payment_processing.pending'],
  ['payment_processing.action_required', 'overdue', 'overdue'],
  ['payment_processing.action_required', 'uncollectible', 'uncollectible'],
  ['payment_processing.action_required', 'void', 'voided'],
  ['overdue', 'authorized', 'payment_processing.booking_authorized'],
  ['overdue', 'paid', 'payment_processing.booking_authorized_and_settled'],
  ['overdue', 'failed', 'payment_processing.failed'],
  ['overdue', 'retry', 'payment_processing.pending'],
  ['overdue', 'uncollectible', 'uncollectible'],
  ['overdue', 'action_required', 'payment_processing.action_required'],
  ['uncollectible', 'paid', 'payment_processing.booking_authorized_and_settled'],
  ['uncollectible', 'authorized', 'payment_processing.booking_authorized'],
  ['uncollectible', 'void', 'voided'],
  ['delete.in_progress', 'next', 'delete.syncing'],
  ['delete.in_progress', 'failed', 'delete.failed'],
  ['delete.syncing', 'next', 'deleted'],
  ['delete.syncing', 'failed', 'delete.failed'],
  ['delete.failed', 'delete', 'delete.in_progress'],
];

describe('transitions', () => {
  test.each(TRANSITIONS)('%s, %s → %s', (from, trigger, to) => {
    expect(transition(from, trigger)).toBe(to);
    if (trigger === 'next') expect(nextStatus(from, READY)).toBe(to);
  });

  test('there are no others, and none leads nowhere', () => {
    const triggers = new Set(TRANSITIONS.map(([, trigger]) => trigger));
    const all = Object.keys(STATES).filter(isExtendedStatus);
    const existing = all.flatMap((from) =>
      [...triggers].flatMap((trigger) => {
        const to = transition(from, trigger);
        return to === undefined ? [] : [`${from} ${trigger} ${to}`];
      }),
    );
    expect(existing.toSorted()).toEqual(TRANSITIONS.map((row) => row.join(' ')).toSorted());
    for (const [, , to] of TRANSITIONS) expect(isExtendedStatus(to)).toBe(true);
  });
});

describe('automatic steps with a condition', () => {
  test.each<[ExtendedStatus, Partial<Facts>, ExtendedStatus | undefined]>([
    ['draft.waiting_for_collection', { collectionAtMs: 1000 }, 'draft.collecting'],
    ['draft.waiting_for_collection', { collectionAtMs: 1001 }, undefined],
    ['draft.validating', { hasCriticalIssue: true }, 'draft.invalid'],
    ['draft.syncing', { draftUntilMs: undefined }, 'draft.manual_approval_needed'],
    ['draft.syncing', { isDraftSynced: false }, undefined],
    ['draft.waiting_auto_approval', { draftUntilMs: 1001 }, undefined],
    ['draft.waiting_auto_approval', { draftUntilMs: undefined }, undefined],
    ['draft.ready_to_issue', { hasLines: false }, 'delete.syncing'],
    ['issuing.syncing', { isFinalized: false }, undefined],
    ['draft.invalid', {}, undefined],
    ['paid', {}, undefined],
  ])('%s with %j → %s', (status, facts, next) => {
    expect(nextStatus(status, { ...READY, ...facts })).toBe(next);
  });
});

test('what each status means for people', () => {
  const all = Object.keys(STATES).filter(isExtendedStatus);
  expect(new Set(all.map(statusOf))).toEqual(
    new Set([
      'draft',
      'issuing',
      'issued',
      'payment_processing',
      'overdue',
      'paid',
      'uncollectible',
      'voided',
      'delete',
      'deleted',
    ]),
  );
  expect(all.filter(isFinal)).toEqual(['paid', 'voided', 'deleted']);
  expect(all.filter(isFailed)).toHaveLength(10);
  expect(all.filter(isEditable).every((status) => status.startsWith('draft.'))).toBe(true);
  expect(isEditable('draft.syncing')).toBe(false);
  expect(isImmutable('issued')).toBe(true);
  expect(isImmutable('issuing.syncing')).toBe(false);
});
