export { compileJsonPath } from './json-path.ts';
export { readDistinctValue, readNumericValue } from './meter-value.ts';
export { openSqliteUsageStore } from './sqlite/sqlite-usage-store.ts';
export type {
  Aggregation,
  AnswerOrigin,
  AppendResult,
  DimensionFilter,
  EventFilterField,
  EventListQuery,
  EventPosition,
  EventSortField,
  GatewayDelivery,
  GatewayProcess,
  Granularity,
  MeterSpec,
  NewEvent,
  NumberRange,
  SeriesProgress,
  StoredEvent,
  UsageQuery,
  UsageRow,
  UsageStore,
  VerifyResult,
} from './types.ts';
