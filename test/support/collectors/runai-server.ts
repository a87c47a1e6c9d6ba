import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a workload lives, and what it is given and uses meanwhile. */
export interface Workload {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** In order. */
  readonly phases: readonly { readonly atMs: number; readonly phase: string }[];
  readonly completedAtMs?: number | undefined;
  readonly deletedAtMs?: number | undefined;
  /** A metric at an instant; undefined = there is no such series. */
  metric(type: string, atMs: number): number | string | undefined;
}

/** A pod of a workload. */
export interface Pod {
  readonly id: string;
  readonly workloadId: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly completedAtMs?: number | undefined;
  readonly gpus: number;
  metric(type: string, gpu: number, atMs: number): number | undefined;
}

/**
 * A server with Run:ai's published protocol: tokens, lists with filters and pages, histories, metrics. It tells what is at
 * `nowMs`, which the test moves, and has moods.
 */
export interface RunaiServer {
  readonly url: string;
  nowMs: number;
  readonly workloads: Workload[];
  readonly pods: Pod[];
  /** Paths as they were asked for. */
  readonly asked: string[];
  readonly tokens: { given: number; bodies: unknown[] };
  /** Until it is told again, tokens that were given are refused. */
  revoke(): void;
  /** Looked at for each request; undefined = as it should be. `cut` ends the connection. */
  mood: (path: string, query: URLSearchParams) => number | 'cut' | 'partial' | 'empty' | { body: string } | undefined;
  close(): Promise<void>;
}

type Json = Record<string, unknown>;
const iso = (ms: number) => new Date(ms).toISOString();

export async function startRunaiServer(nowMs: number): Promise<RunaiServer> {
  let valid = new Set<string>();
  const server = createServer((request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '', 'http://here');
    self.asked.push(request.url ?? '');
    const mood = self.mood(url.pathname, url.searchParams);
    if (mood === 'cut') return void request.socket.destroy();
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json', date: new Date(self.nowMs).toUTCString() });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (typeof mood === 'number') return send(mood, { code: mood, message: 'no' });
    if (typeof mood === 'object') return send(200, mood.body);
    if (url.pathname === '/api/v1/token') {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json;
      self.tokens.bodies.push(body);
      const isRight = body['clientSecret'] === 's3cret' || body['AppSecret'] === 's3cret';
      if (!isRight) return send(400, { code: 400, message: `invalid client credentials: ${JSON.stringify(body)}` });
      const accessToken = `token-${++self.tokens.given}`;
      valid.add(accessToken);
      return send(200, { accessToken, expiresIn: 86_400 });
    }
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    if (!valid.has(token)) return send(401, { code: 401, message: 'Unauthorized' });
    const known = routes(self, url, mood);
    send(known.status, known.body);
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const self: RunaiServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    nowMs,
    workloads: [],
    pods: [],
    asked: [],
    tokens: { given: 0, bodies: [] },
    revoke() {
      valid = new Set();
    },
    mood: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return self;
}

function routes(server: RunaiServer, { pathname, searchParams }: URL, mood: 'partial' | 'empty' | undefined) {
  const parts = pathname.split('/').slice(3);
  const fine = (body: unknown, status = 200) => ({ status, body });
  const missing = fine({ code: 404, message: 'was not found' }, 404);
  if (parts[0] !== 'workloads') return missing;
  if (parts.length === 1) {
    const isDeleted = searchParams.get('deleted') === 'true';
    const there = server.workloads.filter(({ createdAtMs }) => createdAtMs <= server.nowMs);
    const listed = there
      .map((one) => listedWorkload(one, server.nowMs))
      .filter((one) => (one['deletedAt'] !== null) === isDeleted);
    return fine(pageOf('workloads', listed, searchParams));
  }
  if (parts[1] === 'pods') return fine(pageOf('pods', listedPods(server, searchParams), searchParams));
  if (parts[2] === 'pods') return podMetrics(server, parts, searchParams, mood) ?? missing;
  const workload = server.workloads.find(({ id }) => id === parts[1]);
  if (workload === undefined) return missing;
  if (parts[2] === 'history') return fine(historyOf(workload, server.nowMs, searchParams));
  if (parts[2] === 'metrics') {
    const measured = measurements(searchParams, mood, (type, at) => [[undefined, measure(workload, type, at, server)]]);
    return fine(measured, mood === 'partial' ? 207 : 200);
  }
  return missing;
}

function podMetrics(
  { pods }: RunaiServer,
  [, workloadId, , podId]: readonly string[],
  query: URLSearchParams,
  mood: 'partial' | 'empty' | undefined,
) {
  const pod = pods.find((one) => one.id === podId && one.workloadId === workloadId);
  if (pod === undefined) return undefined;
  const each = (type: string, at: number): [string | undefined, unknown][] =>
    type.endsWith('_PER_GPU')
      ? Array.from({ length: pod.gpus }, (_, gpu) => [String(gpu), pod.metric(type, gpu, at)])
      : [[undefined, pod.metric(type, -1, at)]];
  return { status: mood === 'partial' ? 207 : 200, body: measurements(query, mood, each) };
}

function measure(workload: Workload, type: string, atMs: number, server: RunaiServer): unknown {
  return atMs > server.nowMs ? undefined : workload.metric(type, atMs);
}

function phaseAt({ phases, createdAtMs, completedAtMs = Infinity }: Workload, nowMs: number) {
  const known = phases.filter(({ atMs }) => atMs <= nowMs).at(-1) ?? { atMs: createdAtMs, phase: 'Creating' };
  return completedAtMs <= nowMs && completedAtMs >= known.atMs ? { atMs: completedAtMs, phase: 'Completed' } : known;
}

function listedWorkload(workload: Workload, nowMs: number): Json {
  const { id, name, createdAtMs, completedAtMs = Infinity, deletedAtMs = Infinity } = workload;
  const { atMs, phase } = phaseAt(workload, nowMs);
  const isRunning = phase === 'Running';
  return {
    tenantId: 1001,
    runningPods: isRunning ? 1 : 0,
    phaseUpdatedAt: iso(atMs),
    k8sPhaseUpdatedAt: iso(atMs),
    updatedAt: iso(nowMs),
    source: 'CLI',
    deletedAt: deletedAtMs <= nowMs ? iso(deletedAtMs) : null,
    type: 'Training',
    name,
    id,
    priority: 50,
    priorityClassName: 'train',
    submittedBy: 'researcher@example.com',
    clusterId: '71f69d83-ba66-4822-adf5-55ce55efd210',
    projectName: 'proj-1',
    projectId: '4500001',
    departmentName: 'dep-1',
    departmentId: '45',
    namespace: 'runai-proj-1',
    createdAt: iso(createdAtMs),
    workloadRequestedResources: { gpu: { limit: 2, request: 2 }, cpu: { limit: 8, request: 4 } },
    allocatedResources: isRunning ? { gpu: 2, gpuMemory: '160G', cpu: 4, cpuMemory: '16G' } : { gpu: 0, cpu: 0 },
    phase,
    conditions: [],
    k8sPhase: phase,
    requestedPods: { number: 1 },
    currentNodePools: ['a100'],
    completedAt: completedAtMs <= nowMs ? iso(completedAtMs) : null,
    preemptible: true,
    idleAllocatedGpus: 0,
    totalPendingTimeSeconds: 15,
    totalRunningTimeSeconds: 600,
    category: 'Train',
  };
}

function listedPods({ pods, nowMs }: RunaiServer, query: URLSearchParams): Json[] {
  const completed = query.get('completed') ?? 'all';
  return pods
    .filter(({ createdAtMs }) => createdAtMs <= nowMs)
    .map((pod) => {
      const { completedAtMs = Infinity, startedAtMs, gpus } = pod;
      const isOver = completedAtMs <= nowMs;
      const isStarted = startedAtMs <= nowMs;
      return {
        name: pod.name,
        id: pod.id,
        workloadId: pod.workloadId,
        clusterId: '71f69d83-ba66-4822-adf5-55ce55efd210',
        projectId: '4500001',
        projectName: 'proj-1',
        tenantId: 1001,
        createdAt: iso(pod.createdAtMs),
        completedAt: isOver ? iso(completedAtMs) : null,
        containers: [{ name: 'main', image: 'img:1', ...(isStarted && { startedAt: iso(startedAtMs) }) }],
        allocatedResources: { gpu: isStarted && !isOver ? gpus : 0 },
        k8sPhase: isOver ? 'Succeeded' : isStarted ? 'Running' : 'Pending',
        k8sPhaseUpdatedAt: iso(isOver ? completedAtMs : isStarted ? startedAtMs : pod.createdAtMs),
      };
    })
    .filter(({ completedAt }) => completed === 'all' || (completedAt !== null) === (completed === 'true'));
}

/** `a>=x,b!=y`: all of them have to hold. */
function holds(item: Json, filter: string): boolean {
  return filter.split(',').every((one) => {
    const [, field = '', operator = '', value = ''] = /^(\w+)(==|!=|<=|>=)(.*)$/.exec(one) ?? [];
    const own = item[field];
    if (operator === '==') return own === value;
    if (operator === '!=') return own !== value;
    if (typeof own !== 'string') return false;
    return operator === '>=' ? own >= value : own <= value;
  });
}

function pageOf(field: string, items: readonly Json[], query: URLSearchParams): Json {
  const filter = query.get('filterBy') ?? '';
  const limit = Number(query.get('limit') ?? 50);
  const offset = Number(query.get('offset') ?? 0);
  const all = items
    .filter((item) => filter === '' || holds(item, filter))
    .toSorted((a, b) => (String(a['createdAt']) < String(b['createdAt']) ? -1 : 1));
  const next = offset + limit;
  return { ...(next < all.length && { next }), [field]: all.slice(offset, next) };
}

function historyOf(workload: Workload, nowMs: number, query: URLSearchParams): Json {
  const { createdAtMs, phases, completedAtMs = Infinity } = workload;
  const told = [{ atMs: createdAtMs, phase: 'Creating' }, ...phases].filter(({ atMs }) => atMs <= nowMs);
  if (completedAtMs <= nowMs) told.push({ atMs: completedAtMs, phase: 'Completed' });
  const records = told.flatMap(({ atMs, phase }) => [
    {
      meta: { creationTimestamp: iso(atMs), type: 'PhaseUpdate' },
      spec: { event: null, phaseUpdate: { phase, phaseMessage: '' } },
    },
    {
      meta: { creationTimestamp: iso(atMs), type: 'Event' },
      spec: { event: { message: 'Started' }, phaseUpdate: null },
    },
  ]);
  const limit = Number(query.get('limit'));
  const offset = Number(query.get('offset'));
  return { records: records.slice(offset, offset + limit) };
}

function measurements(
  query: URLSearchParams,
  mood: 'partial' | 'empty' | undefined,
  measured: (type: string, atMs: number) => [string | undefined, unknown][],
): Json {
  const types = (query.get('metricType') ?? '').split(',');
  const [start, end] = [Date.parse(query.get('start') ?? ''), Date.parse(query.get('end') ?? '')];
  const count = Number(query.get('numberOfSamples') ?? 20);
  const instants = Array.from({ length: count }, (_, index) => start + ((end - start) * (index + 1)) / count);
  const told = mood === 'empty' ? [] : mood === 'partial' ? types.slice(0, 1) : types;
  return {
    measurements: told.flatMap((type) => {
      const series = new Map<string | undefined, Json[]>();
      for (const at of instants) {
        for (const [gpu, value] of measured(type, at)) {
          const samples = series.get(gpu) ?? [];
          if (value !== undefined) samples.push({ value: String(value), timestamp: iso(Math.round(at)) });
          series.set(gpu, samples);
        }
      }
      return [...series].map(([gpu, values]) => ({ type, labels: gpu === undefined ? null : { gpu }, values }));
    }),
    histogram: null,
  };
}
