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
 * `Prefer: handling=lenient` have stored all of them; ours answers with `{"rejected": [{"index": 3, …}]}`.
 */
export function judge(answer: Answer, count: number): Judgement {
  if (answer.kind !== 'status' || answer.lenient === undefined) return ALL;
  const { lenient } = answer;
  if (lenient.kind === 'not whole') return { kind: 'broken off' };
  const rejected = lenient.kind === 'whole' ? rejectedOf(lenient.body) : undefined;
  if (rejected === undefined) return { kind: 'unreadable' };
  const rejections = new Map<number, Rejection>();
  for (const item of rejected) {
    const { index, ...problem } = isObject(item) ? item : {};
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      return { kind: 'unreadable' };
    }
    rejections.set(index, { index, problem });
  }
  return { kind: 'delivered', rejections: [...rejections.values()] };
}

function rejectedOf(body: string): readonly unknown[] | undefined {
  try {
    const report: unknown = JSON.parse(body);
    const rejected = isObject(report) ? report['rejected'] : undefined;
    return Array.isArray(rejected) ? rejected : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
