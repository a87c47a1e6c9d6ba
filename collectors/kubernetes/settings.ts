import { hostname } from 'node:os';
import { z } from 'zod';
import { duration, flag, httpUrl, wholeNumber } from '../config/values.ts';
import { RESOURCE_KINDS, RESOURCE_TYPES } from './kinds.ts';
import { compileSelector } from './selector.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const dnsName = z.string().regex(DNS_NAME, { error: 'must be a name as Kubernetes has them' });

const lease = z
  .strictObject({
    namespace: dnsName,
    name: dnsName,
    duration: duration(3000, HOUR_MS).default(15_000),
    identity: z.string().max(253).default(''),
  })
  .transform(({ duration: durationMs, identity, ...rest }) => ({
    ...rest,
    durationMs,
    // The name of the pod, within one.
    identity: identity === '' ? hostname() : identity,
  }));

const selector = z
  .string()
  .max(4096)
  .default('')
  .transform((text, context) => {
    try {
      return { text, matches: compileSelector(text) };
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

const namespaces = z
  .array(z.union([dnsName, z.literal('')], { error: 'must be a namespace, or empty for all' }))
  .max(100, { error: 'must be at most 100; leave it empty for all' })
  .default([])
  .transform((given) => (given.length === 0 || given.includes('') ? [undefined] : [...new Set(given)]));

const resources = z
  .strictObject({
    resource_type: z.enum(RESOURCE_TYPES, { error: `must be one of ${RESOURCE_TYPES.join(', ')}` }).default('pod'),
    namespaces,
    label_selector: selector,
    include_pending_pods: flag.default(false),
    count: z.enum(['running', 'scheduled'], { error: 'must be running or scheduled' }).default('running'),
    basis: z.enum(['running', 'reserved'], { error: 'must be running or reserved' }).default('running'),
    gpu_resources: z.array(z.string().min(1).max(317)).max(20).default(['nvidia.com/gpu']),
    settle: duration(0, HOUR_MS).default(30_000),
    lookback: duration(0, 31 * DAY_MS).default(HOUR_MS),
    page_size: wholeNumber(1, 10_000).default(500),
    kubeconfig: z.string().default(''),
    context: z.string().default(''),
    api_server: httpUrl.default('https://kubernetes.default.svc'),
    token_file: z.string().min(1).default(`${SERVICE_ACCOUNT}/token`),
    ca_file: z.string().min(1).default(`${SERVICE_ACCOUNT}/ca.crt`),
    lease: lease.optional(),
  })
  .superRefine(({ resource_type: type, namespaces: given }, context) => {
    if (RESOURCE_KINDS[type].isNamespaced || given[0] === undefined) return;
    context.addIssue({ code: 'custom', path: ['namespaces'], message: `must be empty: a ${type} is in no namespace` });
  })
  .transform(
    ({ include_pending_pods, count, settle, lookback, resource_type, label_selector, gpu_resources, ...rest }) => ({
      resourceType: resource_type,
      namespaces: rest.namespaces,
      selector: label_selector.matches,
      hasSelector: label_selector.text.trim() !== '',
      // A pod that waits for its images keeps its place already.
      count: include_pending_pods ? ('scheduled' as const) : count,
      basis: rest.basis,
      gpus: gpu_resources,
      settleMs: settle,
      lookbackMs: lookback,
      pageSize: rest.page_size,
      kubeconfig: rest.kubeconfig === '' ? undefined : rest.kubeconfig,
      context: rest.context === '' ? undefined : rest.context,
      inCluster: { apiServer: rest.api_server, tokenFile: rest.token_file, caFile: rest.ca_file },
      lease: rest.lease,
    }),
  );

const INTERVAL_RULE = 'must divide an hour, so that no slice lies in two billing periods: 15s, 60s, 5m';
const interval = duration(1000, HOUR_MS)
  .default(60_000)
  .refine((ms) => HOUR_MS % ms === 0, { error: INTERVAL_RULE });

/** As the documented pipelines have it: a schedule with a source in it. */
export const settingsSchema = z
  .strictObject({ interval, input: z.strictObject({ kubernetes_resources: resources }) })
  .transform(({ interval: intervalMs, input }) => ({ intervalMs, ...input.kubernetes_resources }));

export type Settings = z.output<typeof settingsSchema>;
