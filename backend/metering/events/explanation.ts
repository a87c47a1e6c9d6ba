import { formatInstant } from '../../platform/instant.ts';
import type { DuplicatesOf, StoredEvent, TypeSeen, UsageStore } from '../usage-store/index.ts';
import type { EventExplanation, Explanation } from './explanation-schema.ts';
import { toIngestedEvent } from './ingested-event.ts';
import type { EventAnnotations } from './service.ts';

/** Why something does not count: a code for programs, a sentence for people. */
export interface CountingReason {
  code: string;
  message: string;
}

/** What one meter makes of an event. */
export interface MeterExplanation {
  meterId: string;
  meterKey: string;
  counts: boolean;
  /** What the meter reads; undefined for count and where nothing is usable. */
  value: string | undefined;
  reasons: CountingReason[];
}

/** Whether a feature counts what a meter counts, which invoices and entitlements hang on. */
export interface FeatureExplanation {
  featureId: string;
  featureKey: string;
  meterKey: string;
  /** An archived one still counts for the subscriptions that have it; nobody else wants to hear of it. */
  isArchived: boolean;
  counts: boolean;
  reasons: CountingReason[];
}

/** What is known of an event when the modules above the features are asked. */
export interface ExplainedEvent {
  event: StoredEvent;
  /** undefined: its subject is no customer's */
  customerId: string | undefined;
  /** Whether a meter counts it; void events are counted by none. */
  isCounted: boolean;
  /** The features of the meters that count it. */
  features: readonly FeatureExplanation[];
}

/** What modules above know of why events count or not. */
export interface CountingExplainers {
  /** For each event, each meter of its type. */
  meters(events: readonly StoredEvent[]): Promise<MeterExplanation[][]>;
  /** For each event, each feature of the meters that count it. */
  features(events: readonly { event: StoredEvent; meterIds: readonly string[] }[]): Promise<FeatureExplanation[][]>;
  /** Keys of the meters of each event type; types without one are absent. */
  metersOfTypes(types: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** For each event more reasons, such as a subscription that began later. */
  others: readonly ((events: readonly ExplainedEvent[]) => Promise<CountingReason[][]>)[];
}

/** The youngest events of a subject: what it sends now is what its owner asks about. */
const EVENTS_OF_SUBJECT = 20;
/** An id is unique within a source; more sources with the same id than this are no use to anyone. */
const EVENTS_OF_ID = 100;

export interface ExplanationsService {
  /** @param source undefined: of whatever source */
  ofEvent(id: string, source: string | undefined): Promise<Explanation>;
  ofSubject(subject: string): Promise<Explanation>;
}

/** Says why events count or do not. */
export function createExplanationsService(deps: {
  usage: UsageStore;
  annotations: EventAnnotations;
  explainers: CountingExplainers;
}): ExplanationsService {
  const { usage, annotations, explainers } = deps;

  const explain = async (events: readonly StoredEvent[]): Promise<EventExplanation[]> => {
    const notes = await annotations.annotate(events);
    const meters = (await explainers.meters(events)).map((ofMeters, index) =>
      // A void event is counted by none.
      ofMeters.map((meter) => ({ ...meter, counts: meter.counts && events[index]?.voided === undefined })),
    );
    const counting = meters.map((ofMeters) => ofMeters.filter((meter) => meter.counts));
    const features = await explainers.features(
      events.map((event, index) => ({ event, meterIds: (counting[index] ?? []).map(({ meterId }) => meterId) })),
    );
    const explained = events.map((event, index) => ({
      event,
      customerId: notes[index]?.customerId,
      isCounted: (counting[index] ?? []).length > 0,
      features: features[index] ?? [],
    }));
    const others = await Promise.all(explainers.others.map((ask) => ask(explained)));
    const duplicates = new Map(
      (await usage.duplicatesOf(events.map((event) => event.rowId))).map((entry) => [entry.rowId, entry]),
    );
    return explained.map(({ event, customerId, isCounted, features: ofFeatures }, index) => {
      const ofMeters = meters[index] ?? [];
      return {
        event: toIngestedEvent(event, notes[index]),
        counts: isCounted,
        meters: ofMeters.map(meterBody),
        features: ofFeatures.filter((feature) => !feature.isArchived).map(featureBody),
        reasons: [
          ...voidReason(event),
          ...(ofMeters.length === 0 ? [noMeter(event.type)] : []),
          ...(customerId === undefined ? [noCustomer(event.subject)] : []),
          ...excludedReason(ofFeatures),
          ...others.flatMap((reasons) => reasons[index] ?? []),
          ...duplicateReason(duplicates.get(event.rowId)),
        ],
      };
    });
  };

  return {
    ofEvent: async (id, source) => {
      const events = await usage.list({
        filters: [
          { field: 'id', operator: 'eq', values: [id] },
          ...(source === undefined ? [] : [{ field: 'source' as const, operator: 'eq' as const, values: [source] }]),
        ],
        sort: { field: 'stored_at', direction: 'desc' },
        size: EVENTS_OF_ID,
      });
      return { data: await explain(events), reasons: events.length === 0 ? [notStored(id, source)] : [] };
    },
    ofSubject: async (subject) => {
      const seen = await usage.typesSeen(subject);
      const events = await usage.list({
        filters: [{ field: 'subject', operator: 'eq', values: [subject] }],
        sort: { field: 'stored_at', direction: 'desc' },
        size: EVENTS_OF_SUBJECT,
      });
      const [annotation] = events.length === 0 ? [] : await annotations.annotate(events.slice(0, 1));
      const metersOf = await explainers.metersOfTypes(seen.map(({ type }) => type));
      const unmetered = seen.filter(({ type }) => !metersOf.has(type));
      const isUnowned = annotation !== undefined && annotation.customerId === undefined;
      return {
        data: await explain(events),
        types: seen.map((entry) => toType(entry, metersOf.get(entry.type) ?? [])),
        reasons: [
          ...(seen.length === 0 ? [{ code: 'not_seen', message: `no event with subject ${subject} is stored` }] : []),
          ...(isUnowned ? [noCustomer(subject)] : []),
          ...unmetered.map(({ type }) => noMeter(type)),
        ],
      };
    },
  };
}

function meterBody({ meterId, meterKey, counts, value, reasons }: MeterExplanation) {
  return { meter_id: meterId, meter_key: meterKey, counts, ...(value !== undefined && { value }), reasons };
}

function featureBody({ featureId, featureKey, meterKey, counts, reasons }: FeatureExplanation) {
  return { feature_id: featureId, feature_key: featureKey, meter_key: meterKey, counts, reasons };
}

/** Told for the event only where no feature is left; of one feature alone its own reasons tell. */
function excludedReason(features: readonly FeatureExplanation[]): CountingReason[] {
  if (features.some(({ counts }) => counts)) return [];
  const living = features.filter(({ isArchived }) => !isArchived);
  if (living.length === 0) return [];
  const names = living.map(
    ({ featureKey, reasons }) => `${featureKey} (${reasons.map(({ message }) => message).join('; ')})`,
  );
  return [{ code: 'excluded_by_feature', message: `no feature counts it: ${names.join(', ')}` }];
}

function toType({ type, count, voided, lastSeenAtMs }: TypeSeen, meters: readonly string[]) {
  return { type, events: count, voided, last_seen_at: formatInstant(lastSeenAtMs), meters: [...meters] };
}

function noMeter(type: string): CountingReason {
  return { code: 'no_meter', message: `no meter found for event type: ${type}` };
}

function noCustomer(subject: string): CountingReason {
  return { code: 'no_customer', message: `no customer found for event subject: ${subject}` };
}

function notStored(id: string, source: string | undefined): CountingReason {
  const what = source === undefined ? id : `${id} from source ${source}`;
  return { code: 'not_stored', message: `no event with id ${what} is stored: it has not arrived, or was refused` };
}

function voidReason({ voided }: StoredEvent): CountingReason[] {
  if (voided === undefined) return [];
  const message = `made void at ${formatInstant(voided.madeAtMs)} by ${voided.madeBy}: ${voided.reason}`;
  return [{ code: 'event_voided', message }];
}

function duplicateReason(duplicates: DuplicatesOf | undefined): CountingReason[] {
  if (duplicates === undefined) return [];
  const { times, differing, lastAtMs } = duplicates;
  const others = differing === 0 ? '' : `; ${differing} of them had another type, subject or data`;
  const message = `arrived ${times} more time${times === 1 ? '' : 's'}, last at ${formatInstant(lastAtMs)}, and counts once${others}`;
  return [{ code: 'duplicates', message }];
}
