import type { Mapping } from '../mapping/mapping.ts';
import { makeEvents } from './events.ts';
import type { SourceRecord } from './source.ts';
import type { KeptLetter, SpoolPart } from './spool.ts';

export interface Resent {
  /** Events that wait in the spool again. */
  readonly events: number;
  /** Dead letters that stay. */
  readonly left: number;
}

const LETTERS_A_STEP = 100;

/**
 * Brings dead letters back: what the endpoint refused as it was, with its id, and what made no event by the mapping of today.
 * What is not kept whole, is broken at its source, or still makes no event stays where it is.
 */
export async function resend(part: SpoolPart, name: string, mapping: Mapping): Promise<Resent> {
  let events = 0;
  let left = 0;
  for (let letters = part.deadLetters(LETTERS_A_STEP); letters.length > 0; ) {
    const made: string[] = [];
    const revived: number[] = [];
    for (const letter of letters) {
      const own = letter.kind === 'rejected' ? eventIn(letter) : await mappedAgain(letter, name, mapping);
      if (own === undefined) left++;
      else {
        made.push(...own);
        revived.push(letter.id);
      }
    }
    if (revived.length > 0) await part.commit({ events: made, dead: [], cursor: [], revived });
    events += made.length;
    letters = part.deadLetters(LETTERS_A_STEP, letters.at(-1)?.id);
  }
  return { events, left };
}

function eventIn({ record }: KeptLetter): readonly string[] | undefined {
  return parsed(record) === undefined ? undefined : [record];
}

async function mappedAgain({ record }: KeptLetter, name: string, mapping: Mapping) {
  const kept = parsed(record) as Partial<SourceRecord> | undefined;
  if (kept?.parts === undefined) return undefined;
  const { message, meta = {}, at, parts } = kept;
  const mapped = await mapping(message, { meta });
  const made = mapped.kind === 'failed' ? undefined : makeEvents(mapped.result, name, { message, meta, at, parts });
  return made?.kind === 'events' ? made.events : undefined;
}

/** undefined = it was cut off. */
function parsed(record: string): unknown {
  try {
    return JSON.parse(record) as unknown;
  } catch {
    return undefined;
  }
}
