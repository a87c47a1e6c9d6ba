import { describe, expect, test } from 'vitest';
import { createGathering } from '../../../plugin/host/gathering.ts';
import { createTurn } from '../../../plugin/host/turn.ts';
import { createManualClock } from '../../support/plugin/manual-clock.ts';

const nextTurns = async () => {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
};

describe('a turn', () => {
  test('is the work of the plugin, one step that stores what it came to, and then all answers', async () => {
    const steps: string[] = [];
    const turn = createTurn({
      settle: () => steps.push('settle'),
      afterAnswers: (answers) => steps.push(`${answers} left`),
    });
    turn.answer(() => steps.push('question'));
    for (const event of ['a', 'b']) {
      turn.beforeAnswers(async () => {
        await Promise.resolve();
        steps.push(`run ${event}`);
        turn.answer(() => steps.push(`end ${event}`));
      });
    }
    await nextTurns();
    expect(steps).toEqual(['run a', 'run b', 'settle', 'question', 'end a', 'end b', '3 left']);
  });

  test('ends though new work comes in every turn', async () => {
    const left: string[] = [];
    const turn = createTurn();
    let isOver = false;
    const again = (): void => {
      setImmediate(() => {
        if (!isOver) turn.beforeAnswers(again);
      });
    };
    turn.beforeAnswers(again);
    turn.answer(() => left.push('answer'));
    await nextTurns();
    isOver = true;
    expect(left).toEqual(['answer']);
  });
});

describe('the pause in which what Kong says gathers', () => {
  const START_MS = 1000;

  function watched(isBehind = () => false) {
    const clock = createManualClock();
    const pauses: number[] = [];
    const gathering = createGathering({ clock, isBehind, pause: (forMs) => pauses.push(forMs) });
    clock.advance(START_MS);
    return { clock, pauses, gathering };
  }

  test('comes after few answers, and not when there is enough to do without it', () => {
    const { pauses, gathering } = watched();
    gathering.afterAnswers(1);
    gathering.afterAnswers(23);
    gathering.afterAnswers(24);
    expect(pauses).toEqual([5, 5]);
  });

  test('does not hold up connections that come one a turn', () => {
    const { clock, pauses, gathering } = watched();
    gathering.connected();
    gathering.afterAnswers(1);
    clock.advance(19);
    gathering.afterAnswers(1);
    expect(pauses).toEqual([]);
    clock.advance(1);
    gathering.afterAnswers(1);
    expect(pauses).toEqual([5]);
  });

  test('does not hold up a plugin that has batches to send', () => {
    let isBehind = true;
    const { pauses, gathering } = watched(() => isBehind);
    gathering.afterAnswers(1);
    isBehind = false;
    gathering.afterAnswers(1);
    expect(pauses).toEqual([5]);
  });
});
