export { compileJsonPath } from './json-path.ts';
export { readDistinctValue, readNumericValue } from './meter-value.ts';
export { openSqliteUsageStore } from './sqlite/sqlite-usage-store.ts';
export type {
  Aggregation,
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
  StoredEvent,
  UsageQuery,
  UsageRow,
  UsageStore,
} from './types.ts';
