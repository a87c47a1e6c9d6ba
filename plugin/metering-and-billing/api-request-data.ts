import type { GatewayProperty } from './attributes.ts';
import { countOf, objectOf, textOf } from './json-values.ts';
import { headerOf, type LogEntry } from './log-entry.ts';
import { lastUpstreamStatus } from './upstream-status.ts';

/** The data of a `kong.api_request` event; what the gateway does not know is `undefined` and so left out of the JSON. */
export type ApiRequestData = { readonly [Property in GatewayProperty]?: string | number | undefined };

/**
 * What is billed for one request: all fields of the Enterprise plugin's event that an open source gateway knows (it has
 * no Dev Portal and no control plane).
 */
export function apiRequestData(entry: LogEntry, subjectType: string): ApiRequestData {
  const { request, response, fields } = entry;
  const route = objectOf(fields['route']);
  const service = objectOf(fields['service']);
  return {
    client_ip: textOf(fields['client_ip']),
    request_host: headerOf(request, 'host'),
    request_method: textOf(request['method']),
    request_size_bytes: countOf(request['size']),
    request_uri: pathOf(request['uri']),
    request_user_agent: headerOf(request, 'user-agent'),
    response_http_status: entry.status,
    response_size_bytes: countOf(response['size']),
    route_id: textOf(route?.['id']),
    route_name: textOf(route?.['name']),
    service_id: textOf(service?.['id']),
    service_name: textOf(service?.['name']),
    service_port: countOf(service?.['port']),
    service_protocol: textOf(service?.['protocol']),
    subject_type: subjectType,
    upstream_status: lastUpstreamStatus(fields['upstream_status']),
  };
}

/** The path alone: API keys travel in query strings, and what a client wrote after a `#` is no path either. */
function pathOf(uri: unknown): string | undefined {
  return textOf(textOf(uri)?.split(/[?#]/, 1)[0]);
}
