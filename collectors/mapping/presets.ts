/**
 * Ready mappings of the documented examples, for `preset:` in a configuration. Quantities times seconds are products, as in
 * the documented example event; they are texts, so that no digit is lost.
 */
export const PRESETS = {
  /**
   * Running pods: seconds, and CPU, memory and GPUs times seconds. The source has computed them; so this is a walk, which costs
   * a fortieth of computing them here.
   */
  'kubernetes-pod-exec-time': kubernetes('kube-pod-exec-time'),
  /** Nodes: seconds, and their capacity times seconds. */
  'kubernetes-node-time': kubernetes('kube-node-time'),
  /** Volumes and claims: seconds, and bytes times seconds. */
  'kubernetes-storage-time': kubernetes('kube-storage-time'),
  /** Access logs of an API, with the attributes `time`, `subject`, `method`, `path`, `region`, `zone` and `duration`. */
  'opentelemetry-api-calls': `{
  "specversion": "1.0",
  "type": "api-calls",
  "source": "otlp-log",
  "time": record.attributes.time,
  "subject": record.attributes.subject,
  "data": {
    "method": record.attributes.method,
    "path": record.attributes.path,
    "region": record.attributes.region,
    "zone": record.attributes.zone,
    "duration_ms": record.attributes.duration
  }
}`,
  /** What counters and histograms rose by, and the levels of gauges; the subject is the attribute `subject`. */
  'opentelemetry-metrics': `{
  "type": metric.name,
  "source": "otlp-metric",
  "subject": point.attributes.subject ? point.attributes.subject : resource.attributes.subject,
  "data": $merge([point.attributes, {
    "value": $exists(increase) ? ($exists(increase.count) ? increase.sum : increase) : point.value,
    "count": increase.count,
    "unit": metric.unit
  }])
}`,
  /** An event for each series of a query; the subject is the label `instance`. */
  'prometheus-series': `$map(values, function($v) {{
  "specversion": "1.0",
  "type": $$.name,
  "source": "prometheus",
  "time": $$.timestamp,
  "subject": $v.metric.instance,
  "data": {"value": $v.value[1], "metric": $v.metric}
}})`,
  /** Minutes of allocated GPUs and of CPU limits of a workload. What is not known is left out: it is not zero. */
  'run-ai-workload': `(
  $minutes := function($v) { $exists($v) and $v != null ? $over($times($v, $meta("duration_seconds")), "60") };
  {"specversion":"1.0","type":$meta("resource_type"),"source":"run_ai","time":$meta("metrics_time"),"subject":name,
   "data":{"tenant":tenantId,"project":projectId,"department":departmentId,"cluster":clusterId,"type":type,
     "gpuAllocationMinutes":$minutes(allocatedResources.gpu),"cpuLimitCoreMinutes":$minutes(metrics.values.CPU_LIMIT_CORES),
     "incomplete":incomplete}}
)`,
  /** All the minutes of the documented event. A gigabyte has 10^9 bytes, and a GPU that is used by half counts half. */
  'run-ai-minutes': `(
  $seconds := $meta("duration_seconds");
  $minutes := function($v, $unit) { $exists($v) and $v != null ? $over($times($v, $seconds), $times("60", $unit)) };
  $v := metrics.values;
  {"type": $meta("resource_type"), "source": "run_ai", "subject": projectName,
   "data": {
     "name": name, "namespace": namespace, "phase": phase ? phase : k8sPhase, "project": projectId, "department": departmentId,
     "workload_minutes": $over($seconds, "60"),
     "cpu_limit_core_minutes": $minutes($v.CPU_LIMIT_CORES, "1"),
     "cpu_request_core_minutes": $minutes($v.CPU_REQUEST_CORES, "1"),
     "cpu_usage_core_minutes": $minutes($v.CPU_USAGE_CORES, "1"),
     "cpu_memory_limit_gigabyte_minutes": $minutes($v.CPU_MEMORY_LIMIT_BYTES, "1e9"),
     "cpu_memory_request_gigabyte_minutes": $minutes($v.CPU_MEMORY_REQUEST_BYTES, "1e9"),
     "cpu_memory_usage_gigabyte_minutes": $minutes($v.CPU_MEMORY_USAGE_BYTES, "1e9"),
     "gpu_allocation_minutes": $minutes(allocatedResources.gpu, "1"),
     "gpu_usage_minutes": $minutes($v.GPU_UTILIZATION, "100"),
     "gpu_memory_request_gigabyte_minutes": $minutes($v.GPU_MEMORY_REQUEST_BYTES, "1e9"),
     "gpu_memory_usage_gigabyte_minutes": $minutes($v.GPU_MEMORY_USAGE_BYTES, "1e9"),
     "incomplete": incomplete
   }}
)`,
  /** Rows with the fields `id`, `time`, `subject_field` and `data_field`. */
  's3-rows': `{
  "id": id,
  "specversion": "1.0",
  "type": "your-usage-event-type",
  "source": "s3",
  "time": time,
  "subject": subject_field,
  "data": {"data": data_field}
}`,
} as const;

function kubernetes(type: string): string {
  return `{
  "specversion": "1.0",
  "type": "${type}",
  "source": "kubernetes-api",
  "time": usage.time,
  "subject": usage.subject,
  "data": usage.data
}`;
}
