import type { RareLog } from '../../delivery/rare-log.ts';
import type { SourceReport } from '../core/source.ts';
import { type Answer, readAnswer } from './answer.ts';
import type { Client } from './client.ts';
import { type Held, held } from './held.ts';
import { durationOf } from './promql.ts';
import type { Turn } from './slots.ts';
import type { SourceTime } from './source-time.ts';
import type { Window } from './windows.ts';

/** Asks for a window, and judges what can be said of an answer whatever was asked. */
export interface Asking {
  /**
   * An instant query at the end of a window, or since some time before it.
   * @throws MalformedAnswer, here or while its series are read
   * 'too large' = the answer is, or the server would have to read too much for it.
   */
  ask(promql: string, window: Window): Promise<Exclude<Answer, { kind: 'text' }> | Held | 'too large'>;
}

/** Large answers that a work asks for are in memory until it is over; two such works go on at a time. */
export interface AskingWithin {
  within<T>(work: (asking: Asking) => Promise<T>): Promise<T>;
}

export interface AskingSettings {
  readonly client: Client;
  readonly time: SourceTime;
  /** How long after its end a window may be asked for. */
  readonly settleMs: number;
  readonly onWarnings: 'hold' | 'accept';
  readonly name: string;
  readonly rareLog: RareLog;
  readonly signal: AbortSignal;
  report(report: SourceReport): void;
}

export function createAsking(settings: AskingSettings): AskingWithin {
  const { client, time, settleMs, onWarnings, name, rareLog, signal, report } = settings;

  function hear(date: string | undefined): void {
    const aheadSeconds = time.heard(date);
    if (aheadSeconds === undefined) return;
    const fields = { collector: name, aheadSeconds };
    rareLog.note({ key: `${name} clocks`, level: 'warn', msg: 'the clock differs from the server’s', fields });
  }

  const askingIn = (turn: Turn): Asking => ({
    async ask(promql, { toMs }) {
      const asked = await client.query(promql, toMs, turn, signal);
      if (asked.kind === 'too large') return 'too large';
      if (asked.kind === 'failed') return { ...held(asked.reason, asked.isRefused), isSilent: asked.isSilent };
      hear(asked.date);
      // Asked for too early, it would lack what the server has yet to scrape.
      if (toMs + settleMs > time.nowMs()) {
        return { ...held('the window is not over by the server’s clock'), isEarly: true };
      }
      const answer = readAnswer(asked.body);
      if (answer.kind === 'text') return held('the query answers a text, which is no quantity');
      const [warning] = answer.warnings;
      if (warning === undefined) return answer;
      const reason = `the answer may be partial: ${warning.slice(0, 300)}`;
      if (onWarnings === 'hold') return held(reason);
      report({ incomplete: 'partial' });
      const fields = { collector: name, reason };
      rareLog.note({ key: `${name} partial`, level: 'warn', msg: 'a partial answer is taken', fields });
      return answer;
    },
  });

  return {
    async within(work) {
      const turn = client.turn();
      try {
        return await work(askingIn(turn));
      } finally {
        turn.end();
      }
    },
  };
}

/** Whether anything was scraped in a window. Windows that were are remembered, since all queries ask for the same. */
export interface Coverage {
  isCovered(window: Window, asking: Asking): Promise<boolean | Held>;
}

const MAX_REMEMBERED = 64;

/** @param selector '' = it is not asked for */
export function createCoverage(selector: string): Coverage {
  const covered = new Set<string>();
  return {
    async isCovered(window, asking) {
      const key = `${window.fromMs}/${window.toMs}`;
      if (selector === '' || covered.has(key)) return true;
      const span = durationOf(window.toMs - window.fromMs);
      const answer = await asking.ask(`count(count_over_time(${selector}[${span}]))`, window);
      if (answer === 'too large') return held('the selector of coverage has too many series');
      if (answer.kind === 'held') return answer;
      if (answer.kind !== 'values') return held('the selector of coverage gives no numbers');
      if ([...answer.series].length === 0) return false;
      if (covered.size >= MAX_REMEMBERED) covered.clear();
      covered.add(key);
      return true;
    },
  };
}
