import type { QueryAnswer } from '../answering/usage-rows.ts';
import type { AnswerOrigin, UsageQuery, UsageRow } from '../types.ts';

/** Queries that are handed to a thread at a time: it answers those for which it has the time, and the others come again. */
const QUERIES_OF_PIECE = 64;
/** So long a piece may keep its thread from others that wait for it; the query that is begun by then is finished. */
const PIECE_MS = 25;
/** Rows of a piece, as of any answer: those of one query may be more, and are then read in parts. */
const ROWS_OF_PIECE = 2000;

/** The answers to the first queries of a list, from one moment. Their rows stand one after the other. */
export interface PieceAnswer {
  rows: UsageRow[];
  /** How many rows and what origin each answered query has. */
  answered: { rows: number; origin: AnswerOrigin }[];
  snapshot: string;
}

/** In the thread that reads. @param nowMs a clock that only rises */
export function answerPiece(
  queries: readonly UsageQuery[],
  answer: (query: UsageQuery) => QueryAnswer,
  nowMs: () => number,
): Omit<PieceAnswer, 'snapshot'> {
  const rows: UsageRow[] = [];
  const answered: PieceAnswer['answered'] = [];
  const untilMs = nowMs() + PIECE_MS;
  for (const query of queries) {
    const { rows: own, origin } = answer(query);
    for (const row of own) rows.push(row);
    answered.push({ rows: own.length, origin });
    if (rows.length >= ROWS_OF_PIECE || nowMs() >= untilMs) break;
  }
  return { rows, answered };
}

/**
 * Many queries of one piece of work, a piece after the other: each waits in the queue anew, so that work of any length
 * lets others have the threads in between, and takes one place of the queue however many queries it has.
 * @param ask hands a piece to a thread
 */
export async function askInPieces(
  queries: readonly UsageQuery[],
  ask: (queries: readonly UsageQuery[]) => Promise<PieceAnswer>,
): Promise<(QueryAnswer & { snapshot: string })[]> {
  const answers: (QueryAnswer & { snapshot: string })[] = [];
  while (answers.length < queries.length) {
    const { rows, answered, snapshot } = await ask(queries.slice(answers.length, answers.length + QUERIES_OF_PIECE));
    let first = 0;
    for (const { rows: count, origin } of answered) {
      answers.push({ rows: rows.slice(first, first + count), origin, snapshot });
      first += count;
    }
  }
  return answers;
}
