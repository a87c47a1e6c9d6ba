import type { MeterTemplate } from './schema.ts';

/** Each dimension reads the field of the same name. */
const fields = (...names: string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, `$.${name}`]));

const PORTAL_FIELDS = ['api_id', 'api_product_id', 'api_product_version_id', 'application_id'];

/** The two meters over the gateway plugin's events, with the keys and names that Konnect's tutorials use. Off until enabled. */
export const BUILT_IN_METERS: readonly MeterTemplate[] = [
  {
    key: 'kong_konnect_api_request',
    name: 'API Gateway Requests',
    description: 'Counts the requests that the gateway proxied.',
    aggregation: 'count',
    event_type: 'kong.api_request',
    dimensions: fields(
      ...PORTAL_FIELDS,
      'client_ip',
      'control_plane_id',
      'portal_id',
      'request_host',
      'request_method',
      'request_uri',
      'request_user_agent',
      'response_http_status',
      'route_id',
      'route_name',
      'service_id',
      'service_name',
      'service_port',
      'service_protocol',
      'upstream_status',
    ),
  },
  {
    key: 'kong_konnect_llm_tokens',
    name: 'AI Gateway Tokens',
    description: 'Sums the tokens of LLM calls through the gateway, requests and responses.',
    aggregation: 'sum',
    event_type: 'kong.llm_request',
    value_property: '$.tokens',
    dimensions: fields(
      'ai_plugin_id',
      'ai_plugin_name',
      ...PORTAL_FIELDS,
      'cache_status',
      'consumer_id',
      'control_plane_id',
      'count',
      'http_status',
      'model',
      'provider',
      'route_id',
      'service_id',
    ),
  },
];

/** Starting points for meters of other events. Creating one is an ordinary "create meter" with these fields. */
export const METER_TEMPLATES: readonly MeterTemplate[] = [
  {
    key: 'api_requests_total',
    name: 'Count API Requests',
    description: 'Counts gateway requests by method, route and service.',
    aggregation: 'count',
    event_type: 'kong.api_request',
    dimensions: fields('request_method', 'route_name', 'service_name'),
  },
  {
    key: 'llm_tokens_total',
    name: 'LLM Tokens',
    description: 'Sums LLM tokens by model, provider, type, and whether their number is reported or estimated.',
    aggregation: 'sum',
    event_type: 'kong.llm_request',
    value_property: '$.tokens',
    dimensions: fields('count', 'model', 'provider', 'type'),
  },
  {
    key: 'agent_runs_total',
    name: 'Count Agent Runs',
    description: "Counts the runs of AI agents by the agent's name.",
    aggregation: 'count',
    event_type: 'agent_run',
    dimensions: fields('agent_name'),
  },
  {
    key: 'gpu_seconds_total',
    name: 'GPU Time',
    description: 'Sums seconds of GPU use by model and region.',
    aggregation: 'sum',
    event_type: 'gpu_time',
    value_property: '$.duration_seconds',
    dimensions: fields('gpu_type', 'region'),
  },
  {
    key: 'pod_seconds_total',
    name: 'Kubernetes Pod Execution Time',
    description: 'Sums seconds of pod run time by pod and namespace.',
    aggregation: 'sum',
    event_type: 'kube-pod-exec-time',
    value_property: '$.duration_seconds',
    dimensions: fields('pod_name', 'pod_namespace'),
  },
  // One for each ready mapping of the collectors: its event type, its quantity, its dimensions.
  {
    key: 'access_log_calls_total',
    name: 'OpenTelemetry API Calls',
    description: 'Counts the calls in access logs that arrive by OpenTelemetry, by method, path, region and zone.',
    aggregation: 'count',
    event_type: 'api-calls',
    dimensions: fields('method', 'path', 'region', 'zone'),
  },
  {
    key: 'prometheus_query_total',
    name: 'Prometheus Query',
    description: 'Sums the values of a query; its name in the collector is the event type.',
    aggregation: 'sum',
    event_type: 'node_cpu_usage',
    value_property: '$.value',
    dimensions: { instance: '$.metric.instance' },
  },
  {
    key: 'gpu_allocation_minutes_total',
    name: 'Run:ai GPU Minutes',
    description: 'Sums the minutes of GPUs that workloads of Run:ai had, by project, department and cluster.',
    aggregation: 'sum',
    event_type: 'workload',
    value_property: '$.gpuAllocationMinutes',
    dimensions: fields('project', 'department', 'cluster', 'type'),
  },
  {
    key: 'exported_rows_total',
    name: 'Rows of Files in S3',
    description: 'Sums a field of the rows of files in a bucket; the event type is what the mapping says.',
    aggregation: 'sum',
    event_type: 'your-usage-event-type',
    value_property: '$.data',
    dimensions: {},
  },
  {
    key: 'logins_unique',
    name: 'Unique Sessions',
    description: 'Counts distinct sessions.',
    aggregation: 'unique_count',
    event_type: 'login',
    value_property: '$.session_id',
    dimensions: {},
  },
];
