import { formatInstant } from '../../platform/instant.ts';
import { parseData, type StoredEvent } from '../usage-store/index.ts';
import type { IngestedEvent } from './schema.ts';

/** What modules above know of an event. */
export interface EventNote {
  customerId?: string;
  /** Sentences that say why it does not count, or not everywhere. */
  problems: string[];
}

/** A stored event in the contract's form; a void one says so among its validation errors. */
export function toIngestedEvent(event: StoredEvent, note: EventNote | undefined): IngestedEvent {
  const data = parseData(event.data);
  const isUnreadable = data === undefined && event.data !== undefined;
  const errors = [
    ...(isUnreadable ? [{ code: 'validation_error', message: 'the stored data of the event is not JSON' }] : []),
    ...(event.voided === undefined ? [] : [voidError(event.voided)]),
    ...(note?.problems ?? []).map((message) => ({ code: 'validation_error', message })),
  ];
  return {
    event: {
      id: event.id,
      source: event.source,
      specversion: '1.0',
      type: event.type,
      subject: event.subject,
      time: formatInstant(event.timeMs),
      ...(data !== undefined && {
        data: data as Record<string, unknown>,
        datacontenttype: 'application/json' as const,
      }),
    },
    ...(note?.customerId !== undefined && { customer: { id: note.customerId } }),
    ingested_at: formatInstant(event.ingestedAtMs),
    stored_at: formatInstant(event.storedAtMs),
    ...(errors.length > 0 && { validation_errors: errors }),
  };
}

function voidError({ correctionId, reason, madeBy, madeAtMs }: NonNullable<StoredEvent['voided']>) {
  return {
    code: 'event_voided',
    message: `event was made void: ${reason}`,
    attributes: { correction_id: correctionId, reason, made_by: madeBy, made_at: formatInstant(madeAtMs) },
  };
}
