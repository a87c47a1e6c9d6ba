import type { SubjectSeen, SubjectsSeen, SubjectsSeenQuery, UsageStore } from '../../metering/usage-store/index.ts';
import { defined, filled } from '../../platform/defined.ts';
import { DomainProblem, notFound } from '../../platform/errors.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { Scope } from '../../platform/scope.ts';
import { type Customer, type CustomerRef, type Customers, createCustomers } from '../customers/index.ts';
import { KongAdminProblem, type KongConsumer, type KongConsumers } from './kong-consumers.ts';
import type { AttributeSubject, UsageSources } from './schema.ts';

/** Which field of a consumer its events carry as subject; as the plugin's setting of that name. */
export type SubjectField = 'username' | 'custom_id' | 'id';

export interface SourcesRequest {
  /** Only subjects that contain this text, whatever its case. */
  search: string | undefined;
  field: SubjectField;
  limit: number;
}

export interface UsageSourcesService {
  /** Subjects that no customer owns, those with the most events first. */
  unattributed(query: Omit<SubjectsSeenQuery, 'except' | 'subjects'>, signal: AbortSignal): Promise<SubjectsSeen>;
  /**
   * Gives a subject to a customer, an existing one or a new one; its events of the past are the customer's too.
   * @throws RequestProblem 404, 410 @throws DomainProblem 409 when it has a customer
   */
  attribute(request: AttributeSubject): Promise<{ customer: Customer; isNew: boolean }>;
  /** What a customer's usage can come from: the gateway's consumers, or, where they cannot be read, the subjects seen. */
  sources(request: SourcesRequest, signal: AbortSignal): Promise<UsageSources>;
}

interface Deps {
  scope: Scope;
  usage: Pick<UsageStore, 'subjectsSeen'>;
  customers: Pick<Customers, 'findAllSubjects' | 'findBySubjects'>;
  /** undefined: no Admin API is set */
  consumers: KongConsumers | undefined;
}

export function createUsageSources(deps: Deps): UsageSourcesService {
  const { usage, customers } = deps;
  return {
    unattributed: async (query, signal) => {
      const owned = await customers.findAllSubjects();
      return usage.subjectsSeen({ ...query, except: [...owned.keys()] }, signal);
    },
    attribute: (request) => deps.scope.transaction((scope) => attribute(scope, request)),
    sources: async (request, signal) => {
      if (deps.consumers === undefined) return fromSubjectsSeen(deps, request, signal);
      try {
        const { consumers, isComplete } = await deps.consumers.list(deps.scope.clock.nowMs());
        const found = await fromConsumers(deps, consumers, request, signal);
        return isComplete ? found : { ...found, warning: `only the first ${consumers.length} consumers are shown` };
      } catch (error) {
        if (!(error instanceof KongAdminProblem)) throw error;
        const seen = await fromSubjectsSeen(deps, request, signal);
        return { ...seen, warning: `${error.message}: these are the subjects seen` };
      }
    },
  };
}

/**
 * Subject keys of a customer with active subscriptions are settled, but for this: nobody pays for the subject yet, so
 * nothing is taken from anybody.
 */
async function attribute(scope: Scope, { subject, customer: to, create_customer }: AttributeSubject) {
  const customers = createCustomers({ scope });
  const owner = (await customers.findBySubjects([subject])).get(subject);
  if (owner !== undefined) throw taken(subject, owner);
  if (to === undefined) {
    const { key = subject, name = key, usage_attribution, ...fields } = create_customer ?? {};
    const subjectKeys = [...(usage_attribution?.subject_keys ?? [])];
    if (key !== subject && !subjectKeys.includes(subject)) subjectKeys.push(subject);
    const attribution = subjectKeys.length > 0 ? { usage_attribution: { subject_keys: subjectKeys } } : {};
    return { customer: await customers.create({ ...fields, key, name, ...attribution }), isNew: true };
  }
  const customer = to.id === undefined ? await customerOfKey(customers, to.key ?? '') : await customers.get(to.id);
  const { id, key: _, created_at: __, updated_at: ___, deleted_at: ____, ...values } = customer;
  const subjectKeys = [...(customer.usage_attribution?.subject_keys ?? []), subject];
  const changed = await customers.update(id, { ...values, usage_attribution: { subject_keys: subjectKeys } });
  return { customer: changed, isNew: false };
}

async function customerOfKey(customers: Customers, key: string): Promise<Customer> {
  const owner = (await customers.findBySubjects([key])).get(key);
  if (owner === undefined || owner.key !== key) throw notFound('customer', key);
  return customers.get(owner.id);
}

function taken(subject: string, { id, key, name }: CustomerRef): DomainProblem {
  const who = `${JSON.stringify(name)} (key ${JSON.stringify(key)}, id ${id})`;
  return new DomainProblem('resource-conflict', `subject ${JSON.stringify(subject)} belongs to customer ${who}`);
}

async function fromSubjectsSeen(
  { usage, customers }: Deps,
  { search, limit }: SourcesRequest,
  signal: AbortSignal,
): Promise<UsageSources> {
  // The store finds beginnings only; a search looks through those seen most.
  const { subjects } = await usage.subjectsSeen({ limit: search === undefined ? limit : MAX_SEARCHED }, signal);
  const matching = subjects.filter(({ subject }) => matches(search, [subject])).slice(0, limit);
  const owners = await customers.findBySubjects(matching.map(({ subject }) => subject));
  const data = matching.map((seen) => ({ subject: seen.subject, ...owner(owners, seen.subject), ...activity(seen) }));
  return { source: 'subjects_seen', data };
}

/** Subjects that a search looks through: as many as consumers are read. */
const MAX_SEARCHED = 10_000;

async function fromConsumers(
  { usage, customers }: Deps,
  consumers: readonly KongConsumer[],
  { search, field, limit }: SourcesRequest,
  signal: AbortSignal,
): Promise<UsageSources> {
  const named = consumers.flatMap((consumer) => {
    const subject = filled(consumer[field]);
    const texts = [consumer.username, consumer.custom_id, consumer.id];
    return subject !== undefined && matches(search, texts) ? [{ subject, consumer }] : [];
  });
  const shown = named.sort((a, b) => (a.subject < b.subject ? -1 : 1)).slice(0, limit);
  const subjects = shown.map(({ subject }) => subject);
  const owners = await customers.findBySubjects(subjects);
  const seen = subjects.length === 0 ? [] : (await usage.subjectsSeen({ subjects, limit }, signal)).subjects;
  const bySubject = new Map(seen.map((one) => [one.subject, one]));
  const data = shown.map(({ subject, consumer: { id, username, custom_id } }) => {
    const consumer = { id, ...defined({ username: filled(username), custom_id: filled(custom_id) }) };
    return { subject, consumer, ...owner(owners, subject), ...activity(bySubject.get(subject)) };
  });
  return { source: 'kong_consumers', data };
}

function matches(search: string | undefined, texts: readonly (string | null | undefined)[]): boolean {
  return search === undefined || texts.some((text) => text?.toLowerCase().includes(search.toLowerCase()) === true);
}

function owner(owners: ReadonlyMap<string, CustomerRef>, subject: string) {
  const found = owners.get(subject);
  return found === undefined ? {} : { customer: { id: found.id, key: found.key, name: found.name } };
}

function activity(seen: SubjectSeen | undefined) {
  return seen === undefined ? {} : { events: seen.count, last_seen_at: formatInstant(seen.lastSeenAtMs) };
}
