/**
 * The life of a standard invoice, as a table. Pure: what leads where, not what happens on the way.
 * Source of the states and their transitions: OpenMeter, openmeter/billing/service/stdinvoicestate.go.
 */

export type ExtendedStatus = keyof typeof STATES;

/** What moves an invoice. `next` is the automatic step, which some states only take when their condition holds. */
export type Trigger =
  | 'next'
  | 'failed'
  | 'delete'
  | 'update'
  | 'snapshot_quantities'
  | 'approve'
  | 'retry'
  | 'authorized'
  | 'paid'
  | 'uncollectible'
  | 'overdue'
  | 'action_required'
  | 'void';

/** What a state leads to by each trigger; a trigger that is missing is not possible. */
export type Transitions = Partial<Record<Trigger, string>>;

const EDITABLE = { update: 'draft.updating', delete: 'delete.in_progress' } as const;
const PAYABLE = {
  authorized: 'payment_processing.booking_authorized',
  paid: 'payment_processing.booking_authorized_and_settled',
} as const;
const UNPAID = {
  overdue: 'overdue',
  uncollectible: 'uncollectible',
  void: 'voided',
} as const;

/** Those of a draft whose quantities are not taken yet. */
export const COLLECTING = ['draft.created', 'draft.waiting_for_collection', 'draft.updating'] as const;

/**
 * Every extended status. Two `next` are chosen among several states: see `Facts`. The part before the dot is the
 * status of the contract.
 */
export const STATES = {
  'draft.created': { next: 'draft.waiting_for_collection', failed: 'draft.invalid', ...EDITABLE },
  'draft.waiting_for_collection': { next: 'draft.collecting', snapshot_quantities: 'draft.collecting', ...EDITABLE },
  'draft.collecting': { next: 'draft.validating', failed: 'draft.invalid', ...EDITABLE },
  'draft.updating': { next: 'draft.waiting_for_collection', failed: 'draft.invalid', delete: 'delete.in_progress' },
  'draft.validating': { next: 'draft.syncing', failed: 'draft.invalid', ...EDITABLE },
  // Not to draft.validating, as in OpenMeter: what is wrong is found while quantities are taken and lines are rated.
  'draft.invalid': { retry: 'draft.updating', ...EDITABLE },
  'draft.syncing': {
    next: 'draft.waiting_auto_approval',
    failed: 'draft.sync_failed',
    delete: 'delete.in_progress',
  },
  'draft.sync_failed': { retry: 'draft.validating', ...EDITABLE },
  'draft.waiting_auto_approval': { next: 'draft.ready_to_issue', approve: 'draft.ready_to_issue', ...EDITABLE },
  'draft.manual_approval_needed': { approve: 'draft.ready_to_issue', ...EDITABLE },
  'draft.ready_to_issue': { next: 'issuing.line_finalization', ...EDITABLE },
  'issuing.line_finalization': {
    next: 'issuing.syncing',
    failed: 'issuing.line_finalization_failed',
    delete: 'delete.in_progress',
  },
  'issuing.line_finalization_failed': { retry: 'issuing.line_finalization', delete: 'delete.in_progress' },
  'issuing.syncing': { next: 'issuing.charge_booking', failed: 'issuing.failed', delete: 'delete.in_progress' },
  'issuing.failed': { retry: 'issuing.syncing', delete: 'delete.in_progress' },
  'issuing.charge_booking': { next: 'issued', failed: 'issuing.charge_booking_failed', delete: 'delete.in_progress' },
  'issuing.charge_booking_failed': { retry: 'issuing.charge_booking', delete: 'delete.in_progress' },
  issued: { next: 'payment_processing.pending', void: 'voided' },
  'payment_processing.pending': {
    ...PAYABLE,
    ...UNPAID,
    failed: 'payment_processing.failed',
    action_required: 'payment_processing.action_required',
  },
  'payment_processing.booking_authorized': {
    next: 'payment_processing.authorized',
    failed: 'payment_processing.booking_authorized_failed',
    void: 'voided',
  },
  'payment_processing.booking_authorized_failed': {
    retry: 'payment_processing.booking_authorized',
    void: 'voided',
  },
  'payment_processing.authorized': {
    ...UNPAID,
    paid: 'payment_processing.booking_settled',
    failed: 'payment_processing.failed',
    action_required: 'payment_processing.action_required',
  },
  'payment_processing.booking_settled': {
    next: 'paid',
    failed: 'payment_processing.booking_settled_failed',
    void: 'voided',
  },
  'payment_processing.booking_settled_failed': { retry: 'payment_processing.booking_settled', void: 'voided' },
  'payment_processing.booking_authorized_and_settled': {
    next: 'paid',
    failed: 'payment_processing.booking_authorized_and_settled_failed',
    void: 'voided',
  },
  'payment_processing.booking_authorized_and_settled_failed': {
    retry: 'payment_processing.booking_authorized_and_settled',
    void: 'voided',
  },
  'payment_processing.failed': {
    ...PAYABLE,
    ...UNPAID,
    retry: 'payment_processing.pending',
    action_required: 'payment_processing.action_required',
  },
  'payment_processing.action_required': {
    ...PAYABLE,
    ...UNPAID,
    retry: 'payment_processing.pending',
    failed: 'payment_processing.failed',
  },
  overdue: {
    ...PAYABLE,
    retry: 'payment_processing.pending',
    failed: 'payment_processing.failed',
    uncollectible: 'uncollectible',
    action_required: 'payment_processing.action_required',
  },
  uncollectible: { ...PAYABLE, void: 'voided' },
  'delete.in_progress': { next: 'delete.syncing', failed: 'delete.failed' },
  'delete.syncing': { next: 'deleted', failed: 'delete.failed' },
  'delete.failed': { delete: 'delete.in_progress' },
  paid: {},
  voided: {},
  deleted: {},
} as const satisfies Record<string, Transitions>;

/** What the automatic steps depend on. */
export interface Facts {
  nowMs: number;
  /** When quantities may be taken; undefined when nothing is metered. */
  collectionAtMs: number | undefined;
  /** When the invoice is issued by itself; undefined when somebody has to approve it. */
  draftUntilMs: number | undefined;
  hasCriticalIssue: boolean;
  /** Lines that are not deleted. */
  hasLines: boolean;
  /** The app has taken over the draft, or need not. */
  isDraftSynced: boolean;
  /** The app has finalized the invoice, or need not. */
  isFinalized: boolean;
}

/** The state that the automatic step leads to now; undefined when the invoice has to wait. */
export function nextStatus(status: ExtendedStatus, facts: Facts): ExtendedStatus | undefined {
  switch (status) {
    case 'draft.waiting_for_collection':
      return facts.nowMs >= (facts.collectionAtMs ?? 0) ? 'draft.collecting' : undefined;
    case 'draft.validating':
      return facts.hasCriticalIssue ? 'draft.invalid' : 'draft.syncing';
    case 'draft.syncing':
      if (!facts.isDraftSynced) return undefined;
      return facts.draftUntilMs === undefined ? 'draft.manual_approval_needed' : 'draft.waiting_auto_approval';
    case 'draft.waiting_auto_approval':
      return facts.draftUntilMs !== undefined && facts.nowMs >= facts.draftUntilMs ? 'draft.ready_to_issue' : undefined;
    case 'draft.ready_to_issue':
      return facts.hasLines ? 'issuing.line_finalization' : 'delete.syncing';
    case 'issuing.syncing':
      return facts.isFinalized ? 'issuing.charge_booking' : undefined;
    default:
      return transition(status, 'next');
  }
}

/** The state that the trigger leads to; undefined when it is not possible in the state. */
export function transition(status: ExtendedStatus, trigger: Trigger): ExtendedStatus | undefined {
  const row: Transitions = STATES[status];
  const target = row[trigger];
  return target !== undefined && isExtendedStatus(target) ? target : undefined;
}

export function isExtendedStatus(text: string): text is ExtendedStatus {
  return Object.hasOwn(STATES, text);
}

type BeforeDot<Text extends string> = Text extends `${infer Short}.${string}` ? Short : Text;
/** The status of the contract, and `delete` and `deleted`, which it does not have. */
export type ShortStatus = BeforeDot<ExtendedStatus>;

/** The status of the contract: the part before the dot. Deleted invoices are not shown. */
export function statusOf(status: ExtendedStatus): ShortStatus {
  return status.split('.', 1)[0] as ShortStatus;
}

/** Whether the invoice still may be edited. */
export function isEditable(status: ExtendedStatus): boolean {
  return transition(status, 'update') !== undefined;
}

/**
 * Whether its lines still follow what they are charged for. That it is about to be worked out anew, after one of them
 * has changed, holds back no other change.
 * @param status as stored beside a line
 */
export function followsCharges(status: string): boolean {
  return isExtendedStatus(status) && (isEditable(status) || status === 'draft.updating');
}

/** Whether neither its lines nor its existence can be changed any more. */
export function isImmutable(status: ExtendedStatus): boolean {
  return !isEditable(status) && transition(status, 'delete') === undefined;
}

/** Whether a step went wrong and waits for a retry or a change. */
export function isFailed(status: ExtendedStatus): boolean {
  return status === 'draft.invalid' || status.endsWith('failed');
}

/**
 * Whether what is on the invoice counts as billed: not when it was deleted or voided, nor when nobody expects its money any
 * more, unless that comes after all.
 * @param status as stored beside a line
 */
export function stands(status: string): boolean {
  return !status.startsWith('delete') && status !== 'voided' && status !== 'uncollectible';
}

/** Whether nothing can happen to the invoice any more. */
export function isFinal(status: ExtendedStatus): boolean {
  return status === 'paid' || status === 'voided' || status === 'deleted';
}
