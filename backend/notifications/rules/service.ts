import { z } from '@hono/zod-openapi';
import { defined } from '../../platform/defined.ts';
import type { FilterCondition } from '../../platform/http/filtering.ts';
import { type PageRequest, pageMeta } from '../../platform/http/paging.ts';
import type { Sort, SortRules } from '../../platform/http/sorting.ts';
import { formatInstant } from '../../platform/instant.ts';
import { rawJson } from '../../platform/json.ts';
import type { Scope } from '../../platform/scope.ts';
import type { ChannelsService } from '../channels/index.ts';
import { type NewEvent, type Outbox, payloadText } from '../outbox/index.ts';
import { ruleDeleted, ruleNotFound, ruleProblem } from './errors.ts';
import { ruleRepository } from './repository.ts';
import { RULE_TYPE_DEFINITIONS, RULE_TYPES, type RuleType } from './rule-types/index.ts';
import {
  type EventTypes,
  PAYLOAD_SCHEMAS,
  type RuleBody,
  type RuleFilterField,
  type RulePage,
  type RuleRequest,
  type RuleSortField,
} from './schema.ts';
import type { Rule } from './types.ts';

export const RULE_SORT: SortRules<RuleSortField> = {
  fields: ['id', 'type', 'created_at', 'updated_at'],
  default: 'id',
  defaultDirection: 'asc',
};

export interface RulesService {
  /** @throws DomainProblem 400 */
  create(request: RuleRequest): Promise<RuleBody>;
  list(
    filters: readonly FilterCondition<RuleFilterField>[],
    sort: Sort<RuleSortField>,
    page: PageRequest,
  ): Promise<RulePage>;
  /** Deleted ones too. @throws RequestProblem 404 */
  get(id: string): Promise<RuleBody>;
  /** What is left out is reset. @throws RequestProblem 404 @throws DomainProblem 400, 410 */
  update(id: string, request: RuleRequest): Promise<RuleBody>;
  /** A second time does nothing. @throws RequestProblem 404 */
  remove(id: string): Promise<void>;
  /** Tells its channels an example, marked as one. @returns the event's id @throws RequestProblem 404 @throws DomainProblem 410 */
  test(id: string): Promise<string>;
  /** All that can be told, with what each message is made of. */
  eventTypes(): EventTypes;
  /** The rules that are in force. */
  inForce(type: RuleType, scope: Scope): Promise<Rule[]>;
  /** Those that are for one of the features, or for all. */
  inForceFor(type: RuleType, featureIds: readonly string[], scope: Scope): Promise<Rule[]>;
  isAnyInForce(types: readonly RuleType[], scope: Scope): Promise<boolean>;
  /** Tells the rule's channels, in the transaction in which it happens. */
  tell(
    scope: Scope,
    rule: Rule,
    event: Pick<NewEvent, 'data' | 'subject' | 'featureKey' | 'dedupeKey'>,
  ): Promise<string | undefined>;
}

export interface RulesDeps {
  scope: Scope;
  outbox: Outbox;
  channels: Pick<ChannelsService, 'openChannels' | 'livingChannels'>;
  /** Those that there are and that are not archived. */
  livingFeatures(ids: readonly string[], scope: Scope): Promise<ReadonlySet<string>>;
}

/** What is told to which channels. */
export function createRulesService({ scope, outbox, channels, livingFeatures }: RulesDeps): RulesService {
  const checkFeatures = async (request: RuleRequest, own: Scope) => {
    const { features = [] } = request as { features?: readonly { id: string }[] };
    const ids = features.map(({ id }) => id);
    const known = await livingFeatures(ids, own);
    const at = ids.findIndex((id) => !known.has(id));
    if (at !== -1) throw ruleProblem('notification_feature_not_found', ids[at], { field: `features.${at}.id` });
  };
  const checkChannels = async (request: RuleRequest, own: Scope) => {
    const ids = request.channels.map(({ id }) => id);
    const known = await channels.livingChannels(ids, own);
    const at = ids.findIndex((id) => !known.has(id));
    if (at !== -1) throw ruleProblem('notification_channel_not_found', ids[at], { field: `channels.${at}.id` });
  };
  const record = async (own: Scope, rule: Rule, event: Partial<NewEvent> & Pick<NewEvent, 'data'>) => {
    const open = await channels.openChannels(rule.channelIds, own);
    const { id, name, type } = rule;
    const channelIds = rule.channelIds.filter((channelId) => open.has(channelId));
    return outbox.record(own, { ...event, type, rule: { id, name }, channelIds });
  };
  return {
    create: (request) =>
      scope.transaction(async (scope) => {
        await checkChannels(request, scope);
        await checkFeatures(request, scope);
        const { maxRules } = RULE_TYPE_DEFINITIONS[request.type];
        if ((await ruleRepository(scope).countOfType(request.type)) >= maxRules) {
          throw ruleProblem('notification_rules_too_many', `${maxRules}`);
        }
        const nowMs = scope.clock.nowMs();
        const rule = withRequest({ id: scope.newId(), createdAtMs: nowMs }, request, nowMs);
        await ruleRepository(scope).insert(rule);
        return toRuleBody(rule);
      }),
    list: async (filters, sort, page) => {
      const { rules, total } = await ruleRepository(scope).page(filters, sort, page);
      return { data: rules.map(toRuleBody), meta: pageMeta(page, total) };
    },
    get: async (id) => toRuleBody(await existing(scope, id)),
    update: (id, request) =>
      scope.transaction(async (scope) => {
        const found = await living(scope, id);
        if (found.type !== request.type) throw ruleProblem('notification_rule_type_fixed', found.type);
        await checkChannels(request, scope);
        await checkFeatures(request, scope);
        const rule = withRequest(found, request, scope.clock.nowMs());
        await ruleRepository(scope).replace(rule);
        return toRuleBody(rule);
      }),
    remove: (id) =>
      scope.transaction(async (scope) => {
        const found = await existing(scope, id);
        if (found.deletedAtMs !== undefined) return;
        const nowMs = scope.clock.nowMs();
        await ruleRepository(scope).replace({ ...found, updatedAtMs: nowMs, deletedAtMs: nowMs });
      }),
    test: (id) =>
      scope.transaction(async (scope) => {
        const rule = await living(scope, id);
        const data = RULE_TYPE_DEFINITIONS[rule.type].sample;
        const eventId = await record(scope, rule, { data, isTest: true });
        if (eventId === undefined) throw new Error('a test of a rule was told before');
        return eventId;
      }),
    eventTypes: () => ({ data: RULE_TYPES.map((type) => eventTypeOf(type, scope.clock.nowMs())) }),
    inForceFor: (type, featureIds, own) => ruleRepository(own).forFeatures(type, featureIds),
    isAnyInForce: (types, own) => ruleRepository(own).isAnyInForce(types),
    inForce: (type, own) => ruleRepository(own).ofType(type),
    tell: record,
  };
}

/** Names that an error may list. */
const MAX_NAMES = 10;

/** Names of the rules that go to a channel. */
export function namesOfRulesUsing(channelId: string, scope: Scope): Promise<string[]> {
  return ruleRepository(scope).namesUsing(channelId, MAX_NAMES);
}

async function existing(scope: Scope, id: string): Promise<Rule> {
  const found = await ruleRepository(scope).byId(id);
  if (found === undefined) throw ruleNotFound(id);
  return found;
}

async function living(scope: Scope, id: string): Promise<Rule> {
  const found = await existing(scope, id);
  if (found.deletedAtMs !== undefined) throw ruleDeleted(id);
  return found;
}

function withRequest(known: Pick<Rule, 'id' | 'createdAtMs'>, request: RuleRequest, nowMs: number): Rule {
  const { type, name, disabled = false, channels, labels, ...settings } = request;
  return {
    id: known.id,
    type,
    name,
    isDisabled: disabled,
    channelIds: channels.map(({ id }) => id),
    settings,
    labels,
    createdAtMs: known.createdAtMs,
    updatedAtMs: nowMs,
    deletedAtMs: undefined,
  };
}

function toRuleBody(rule: Rule): RuleBody {
  const { id, type, name, isDisabled, channelIds, settings, labels, deletedAtMs } = rule;
  return {
    id,
    type,
    name,
    disabled: isDisabled,
    channels: channelIds.map((channelId) => ({ id: channelId })),
    ...shownSettings(settings),
    created_at: formatInstant(rule.createdAtMs),
    updated_at: formatInstant(rule.updatedAtMs),
    ...defined({ labels, deleted_at: deletedAtMs === undefined ? undefined : formatInstant(deletedAtMs) }),
  };
}

/** Values are kept as texts, digit by digit, and are numbers to the API. */
function shownSettings(settings: Rule['settings']): Rule['settings'] {
  const thresholds = settings['thresholds'] as readonly { value: string }[] | undefined;
  if (thresholds === undefined) return settings;
  return { ...settings, thresholds: thresholds.map((one) => ({ ...one, value: rawJson(one.value) })) };
}

const EXAMPLE_ID = '01JD0000000000000000000000';

function eventTypeOf(type: RuleType, nowMs: number): EventTypes['data'][number] {
  const { description, sample } = RULE_TYPE_DEFINITIONS[type];
  const schema = z.toJSONSchema(PAYLOAD_SCHEMAS.get(type) ?? z.never(), { io: 'input', unrepresentable: 'any' });
  const example = JSON.parse(
    payloadText(EXAMPLE_ID, { type, data: sample }, nowMs),
  ) as EventTypes['data'][number]['example'];
  return { type, description, schema: { ...schema }, example };
}
