import { explainByFeatures, FEATURES_AS_METER_USERS } from '../catalog/features/index.ts';
import type { Customers } from '../customers/customers/index.ts';
import { explainBySubscriptions, type SubscriptionViews } from '../customers/subscriptions/index.ts';
import {
  type CountingExplainers,
  correctionRoutes,
  createCorrectionsService,
  createEventsService,
  createExplanationsService,
  type EventAnnotations,
  eventRoutes,
  explanationRoutes,
  legacyEventRoutes,
  subjectsSeenRoutes,
} from '../metering/events/index.ts';
import { createSources, gatewayNodeRoutes } from '../metering/gateway-nodes/index.ts';
import {
  backFillOf,
  breakdownRoutes,
  createMetersService,
  explainByMeters,
  type MeterOperations,
  type MetersService,
  meterKeysOfTypes,
  meterProblems,
  meterRoutes,
  type PickerDeps,
  pickerRoutes,
  queryMeter,
  queryMeters,
} from '../metering/meters/index.ts';
import type { Router } from '../platform/http/router.ts';
import type { Scope } from '../platform/scope.ts';
import type { Parts } from './parts.ts';
import { rollupsFollowMeters } from './rollups.ts';

interface Above {
  /** Events are stored. */
  onEvents(events: readonly { readonly subject: string }[]): void;
  customers: Customers;
  subscriptions: SubscriptionViews;
}

interface MeteringParts extends Above {
  meters: MetersService;
}

/** Events and meters over HTTP: what is stored, corrected, explained and queried. */
export function createMetering(parts: Parts) {
  const { usage } = parts;
  const meters = createMetersService({
    scope: parts.scope,
    users: FEATURES_AS_METER_USERS,
    onChange: rollupsFollowMeters(parts),
  });
  return {
    meters,
    /** What events and usage are said to be of takes the areas above. */
    over: (above: Above) => operationsOver(parts, { ...above, meters }),
    nodeRoutes: (router: Router): void => gatewayNodeRoutes(router, createSources(parts.scope, usage)),
  };
}

function operationsOver({ usage, scope, metrics, maxEventDataBytes }: Parts, parts: MeteringParts) {
  const { meters, customers } = parts;
  const annotations = annotateEvents({ meters, customers });
  const events = createEventsService({
    usage,
    clock: scope.clock,
    annotations,
    onIngest: metrics?.onIngest,
    onStored: parts.onEvents,
    maxDataBytes: maxEventDataBytes,
  });
  const query: MeterOperations['query'] = (meter, request, format, signal) =>
    queryMeter(usage, customers.findByIds, meter, request, format, signal);
  const queryAll: PickerDeps['queryAll'] = (all, request, signal) =>
    queryMeters(usage, customers.findByIds, all, request, signal);
  return {
    routes: (router: Router): void => {
      eventRoutes(router, events);
      correctionRoutes(router, createCorrectionsService({ usage, newId: scope.newId, annotations }));
      const explainers = countingExplainers(scope, parts);
      explanationRoutes(router, createExplanationsService({ usage, annotations, explainers }));
      subjectsSeenRoutes(router, usage);
      meterRoutes(router, { service: meters, query, backFill: (meter) => backFillOf(usage, meter) });
      breakdownRoutes(router, { usage, service: meters, findCustomers: customers.findByIds });
      pickerRoutes(router, { usage, service: meters, queryAll });
    },
    legacyRoutes: (router: Router): void => legacyEventRoutes(router, events),
  };
}

/** What events do not know of themselves: the meters that they count in, and the customer. */
function annotateEvents({ meters, customers }: Pick<MeteringParts, 'meters' | 'customers'>): EventAnnotations {
  return {
    annotate: async (events) => {
      const problems = await meterProblems(meters, events);
      const bySubject = await customers.findBySubjects([...new Set(events.map((event) => event.subject))]);
      return events.map((event, index) => {
        const customer = bySubject.get(event.subject);
        const unattributed = customer ? [] : [`no customer found for event subject: ${event.subject}`];
        return {
          ...(customer && { customerId: customer.id }),
          problems: [...(problems[index] ?? []), ...unattributed],
        };
      });
    },
    subjectsOfCustomers: async (ids) => {
      const found = await customers.findByIds(ids);
      return found.size === 0 ? undefined : [...found.values()].flatMap((customer) => customer.subjects);
    },
  };
}

/** What modules know of why an event counts or not. */
function countingExplainers(scope: Scope, { meters, subscriptions }: MeteringParts): CountingExplainers {
  return {
    meters: (events) => explainByMeters(meters, events),
    metersOfTypes: (types) => meterKeysOfTypes(meters, types),
    features: (events) => explainByFeatures(scope, events),
    others: [(events) => explainBySubscriptions(subscriptions, scope, events)],
  };
}
