import { type Source, type SourceContext, Stopped } from '../core/source.ts';
import { sourceKind } from '../core/source-kind.ts';
import type { ApiClient } from './api-client.ts';
import { createSliceCounter } from './counting.ts';
import { type FollowOptions, follow } from './follow.ts';
import { RESOURCE_KINDS } from './kinds.ts';
import { inClusterAccess, kubeconfigAccess } from './kubeconfig.ts';
import { createLease, type Lease } from './lease.ts';
import { createRows } from './rows.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { createTracker } from './tracker.ts';

/**
 * Pods, nodes, volumes and claims of a Kubernetes cluster, by their lives as its API tells them: how long each container ran,
 * to the second, cut at the borders of the intervals.
 */
export const schedule = sourceKind<Settings>({ schema: settingsSchema, create: (settings) => createSource(settings) });

/** A clock that is further off than this is worth a word. */
const MOST_SKEW_MS = 5000;

function createSource(settings: Settings): Source {
  return {
    async run(context) {
      const { createApiClient } = await import('./api-client.ts');
      const { kubeconfig } = settings;
      const readAccess = () =>
        kubeconfig === undefined ? inClusterAccess(settings.inCluster) : kubeconfigAccess(kubeconfig, settings.context);
      const client = createApiClient(readAccess, context.clock);
      try {
        await runScopes(settings, client, context);
      } finally {
        client.close();
      }
    },
  };
}

/** Each namespace is followed by itself: one that may not be read holds up no other. */
async function runScopes(settings: Settings, client: ApiClient, context: SourceContext): Promise<void> {
  const stopper = new AbortController();
  const closed = new Map<string, number>();
  const reached = new Map<string, boolean>();
  const lease = leaseOf(settings, client, context, () =>
    closed.size < settings.namespaces.length ? undefined : [...closed.values()].reduce((a, b) => Math.min(a, b)),
  );
  const keeping = lease?.keep(AbortSignal.any([context.signal, stopper.signal]));
  const scopes = settings.namespaces.map((namespace) => {
    const scope = `${RESOURCE_KINDS[settings.resourceType].plural}/${namespace ?? '*'}`;
    return scopeOf(settings, client, namespace, scope, lease, {
      ...context,
      report(report) {
        const { upToMs, isReached, ...rest } = report;
        if (upToMs !== undefined) closed.set(scope, upToMs);
        if (isReached !== undefined) reached.set(scope, isReached);
        const isAll = closed.size === settings.namespaces.length;
        context.report({
          ...rest,
          ...(isReached !== undefined && { isReached: [...reached.values()].every((one) => one) }),
          ...(upToMs !== undefined && isAll && { upToMs: [...closed.values()].reduce((a, b) => Math.min(a, b)) }),
        });
      },
    });
  });
  try {
    const results = await Promise.allSettled(scopes.map((scope) => follow(scope)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (context.signal.aborted) throw new Stopped();
  } finally {
    stopper.abort();
    await keeping;
  }
}

function scopeOf(
  settings: Settings,
  client: ApiClient,
  namespace: string | undefined,
  scope: string,
  lease: Lease | undefined,
  context: SourceContext,
): FollowOptions {
  const kind = RESOURCE_KINDS[settings.resourceType];
  const rows = createRows(context.cursor, scope);
  const tracker = createTracker({ ...settings, kind, rows, context });
  const usage = kind.usage(settings, settings.gpus);
  const counter = createSliceCounter({ ...settings, counting: settings, usage, rows, tracker, context });
  const within = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`;
  return {
    ...settings,
    client,
    tracker,
    counter,
    lease,
    context,
    path: `/api/v1/${within}${kind.plural}`,
    onReached(isReached) {
      context.report({ isReached });
      const skewMs = client.time.skewMs() ?? 0;
      if (Math.abs(skewMs) <= MOST_SKEW_MS) return;
      context.rareLog.note({
        key: `${context.name} skew`,
        level: 'warn',
        msg: 'this machine has another time than the API server, which is the one that counts',
        fields: { collector: context.name, ahead_seconds: Math.round(skewMs / 1000) },
      });
    },
  };
}

function leaseOf(
  settings: Settings,
  client: ApiClient,
  { clock, name, rareLog }: SourceContext,
  closedMs: () => number | undefined,
): Lease | undefined {
  if (settings.lease === undefined) return undefined;
  return createLease(settings.lease, {
    client,
    clock,
    closedMs,
    onTrouble(error) {
      const cause = error instanceof Error ? error.message.slice(0, 500) : '?';
      const fields = { collector: name, cause };
      rareLog.note({ key: `${name} lease`, level: 'error', msg: 'the lease cannot be kept', fields });
    },
  });
}
