import { objectOf, textOf } from './json-values.ts';
import { headerOf, type LogEntry, queryArgumentOf, REDACTED_HEADERS } from './log-entry.ts';
import { ATTRIBUTE_SOURCES } from './schema.ts';

/** Copies a header or a query argument into the data of an event. Header names are in lower case. */
export interface AttributeRule {
  readonly source: (typeof ATTRIBUTE_SOURCES)[number];
  readonly name: string;
  readonly property: string;
}

/**
 * The properties of an event's data that the gateway itself fills in. A client chooses its headers and its query, so
 * none of these may come from there: not even where the gateway leaves one out, or a client could set `tokens`.
 */
export const GATEWAY_PROPERTIES = [
  'ai_plugin_id',
  'ai_plugin_name',
  'api_request_id',
  'cache_status',
  'client_ip',
  'count',
  'http_status',
  'model',
  'provider',
  'request_host',
  'request_method',
  'request_size_bytes',
  'request_uri',
  'request_user_agent',
  'response_http_status',
  'response_size_bytes',
  'route_id',
  'route_name',
  'service_id',
  'service_name',
  'service_port',
  'service_protocol',
  'subject_type',
  'tokens',
  'type',
  'upstream_status',
] as const;

/** A property of an event's data that the gateway fills in. */
export type GatewayProperty = (typeof GATEWAY_PROPERTIES)[number];

/** Reads `attributes`. A rule for a property of the gateway's own is left out with a warning. */
export function readAttributes(value: unknown, problems: string[], warnings: string[]): readonly AttributeRule[] {
  if (value === undefined || value === null) return [];
  // An empty Lua table can arrive as `{}`.
  if (objectOf(value) !== undefined && Object.keys(value).length === 0) return [];
  const rules: AttributeRule[] = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    const record = objectOf(item);
    const source = ATTRIBUTE_SOURCES.find((name) => name === record?.['source']);
    const name = textOf(record?.['look_up_value_in']);
    const property = textOf(record?.['event_property_name']);
    if (source === undefined || name === undefined || property === undefined) {
      problems.push('attributes must be a list of records with source, look_up_value_in and event_property_name');
      return [];
    }
    if (isReserved(property)) {
      warnings.push(`attributes: the property ${property} belongs to the gateway; the attribute is ignored`);
      continue;
    }
    const lookUpName = source === 'header' ? name.toLowerCase() : name;
    if (source === 'header' && REDACTED_HEADERS.includes(lookUpName)) {
      warnings.push(`attributes: Kong hides the header ${lookUpName} from its log; the attribute is ignored`);
      continue;
    }
    rules.push({ source, name: lookUpName, property });
  }
  return rules;
}

/**
 * The custom attributes of one request; what the request does not carry is left out. When two rules name the same
 * property, the later one that finds a value wins.
 */
export function findAttributes(rules: readonly AttributeRule[], entry: LogEntry): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const { source, name, property } of rules) {
    const value = source === 'header' ? headerOf(entry.request, name) : queryArgumentOf(entry.request, name);
    if (value !== undefined) attributes[property] = value;
  }
  return attributes;
}

function isReserved(property: string): boolean {
  // Assigning to `__proto__` would set the prototype instead of a property; as a property it would arm the trap for
  // whoever copies the event's data field by field.
  return property === '__proto__' || GATEWAY_PROPERTIES.some((name) => name === property);
}
