import type { Answer } from './verdict.ts';

/** One event of a batch that the endpoint did not store. */
export interface Rejection {
  /** Its place in the batch. */
  readonly index: number;
  /** What the endpoint says about it, as it came. */
  readonly problem: Readonly<Record<string, unknown>>;
}

/**
 * delivered: all but the rejected ones are stored; broken off: so was the answer, and another attempt may tell more;
 * unreadable: nobody can say which ones are stored.
 */
export type Judgement =
  | { readonly kind: 'delivered'; readonly rejections: readonly Rejection[] }
  | { readonly kind: 'broken off' }
  | { readonly kind: 'unreadable' };

const ALL: Judgement = { kind: 'delivered', rejections: [] };

/**
 * What an answer with a 2xx status says about the `count` events of the batch. Endpoints that know nothing of
 * `Prefer: handling=lenient` have stored all of them; ours answers with `{"rejected": [{"index": 3, …}]}`. It explains the
 * first hundred and counts all: where it counts more, nobody knows which they are, and parts of the batch tell.
 */
export function judge(answer: Answer, count: number): Judgement {
  if (answer.kind !== 'status' || answer.lenient === undefined) return ALL;
  const { lenient } = answer;
  if (lenient.kind === 'not whole') return { kind: 'broken off' };
  const rejected = lenient.kind === 'whole' ? rejectedOf(lenient.body) : undefined;
  if (rejected === undefined) return { kind: 'unreadable' };
  const rejections = new Map<number, Rejection>();
  for (const item of rejected.items) {
    const { index, ...problem } = isObject(item) ? item : {};
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      return { kind: 'unreadable' };
    }
    rejections.set(index, { index, problem });
  }
  const { total } = rejected;
  if (total !== undefined && total !== rejections.size) return { kind: 'unreadable' };
  return { kind: 'delivered', rejections: [...rejections.values()] };
}

function rejectedOf(body: string): { items: readonly unknown[]; total: unknown } | undefined {
  try {
    const report: unknown = JSON.parse(body);
    if (!isObject(report)) return undefined;
    const { rejected, rejected_total: total } = report;
    return Array.isArray(rejected) ? { items: rejected, total } : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
