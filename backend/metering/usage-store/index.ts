export { AGGREGATION_NAMES, AGGREGATIONS, type AggregationRules, type UsageKind } from './aggregations/index.ts';
export type {
  Breakdown,
  BreakdownQuery,
  FiguresByWindow,
  UsagePage,
  UsagePageQuery,
  UsageSortField,
} from './breakdown-types.ts';
export type {
  Correction,
  CorrectionAction,
  CorrectionPreview,
  CorrectionRequest,
  EventCorrections,
  EventSelection,
} from './correction-types.ts';
export { passesFilter } from './dimension-filter.ts';
export { parseData } from './event-data.ts';
export { checkJsonPath, compileJsonPath, jsonPathProblem } from './json-path.ts';
export { readDimensionValue } from './meter-value.ts';
export { isFullPage } from './page-bytes.ts';
export { openPostgresUsageStore } from './postgres/postgres-usage-store.ts';
export type {
  DimensionValues,
  DimensionValuesQuery,
  SubjectSeen,
  SubjectsSeen,
  SubjectsSeenQuery,
  TypeSeen,
} from './seen-types.ts';
export { repairSqliteUsage } from './sqlite/repair.ts';
export {
  openSqliteUsageStore,
  USAGE_LEDGER,
  type UsageOwnership,
  verifySqliteUsage,
} from './sqlite/sqlite-usage-store.ts';
export type {
  CountedEvent,
  CountedEventPosition,
  LateEvent,
  UsageAnswer,
  UsageMoment,
  UsageScope,
  UsageSnapshot,
  UsageTracing,
} from './tracing-types.ts';
export type {
  Aggregation,
  AnswerOrigin,
  AppendResult,
  DimensionFilter,
  DuplicatesOf,
  EventFilterField,
  EventListQuery,
  EventPosition,
  EventSortField,
  Expiry,
  GatewayDelivery,
  GatewayProcess,
  GatewayRequests,
  GatewayRequestsReport,
  Granularity,
  MeterSpec,
  NewEvent,
  NumberRange,
  SeriesProgress,
  StoredEvent,
  UsageQuery,
  UsageRow,
  VerifyResult,
} from './types.ts';
export type { UsageStore } from './usage-store.ts';
export type { QuestionOutcome, UsageLoad, UsageUpkeep, UsageWatch } from './watch-types.ts';
