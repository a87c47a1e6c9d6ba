import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createThreads, type Threads } from '../../../backend/platform/threads.ts';

const folder = mkdtempSync(join(tmpdir(), 'threads-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PROGRAM = pathToFileURL(join(folder, 'program.mjs'));
writeFileSync(
  PROGRAM,
  `import { threadId } from 'node:worker_threads';
   import { endSession, serveSessions } from '${pathToFileURL(resolve('backend/platform/thread-sessions.ts'))}';
   serveSessions((name, port) => {
     port.on('message', (message) => {
       if (message === 'die') throw new Error('of ' + name);
       port.postMessage({ name, threadId });
       if (message === 'end') endSession(port);
     });
   });`,
);

interface Said {
  name: string;
  threadId: number;
}

/** What a session says and becomes when it is told something. */
async function tell(threads: Threads, name: string, word: 'end' | 'die') {
  const session = threads.open(PROGRAM, name);
  const said: Said[] = [];
  const errors: string[] = [];
  let exits = 0;
  session.on('message', (message: Said) => said.push(message));
  session.on('error', ({ message }) => errors.push(message));
  session.on('exit', () => exits++);
  session.postMessage(word);
  await session.release();
  return { said, errors, exits };
}

test('a kept thread is at work for one session after another, each with what it was opened with', async () => {
  const threads = createThreads({ keptIdle: 1 });
  const first = await tell(threads, 'first', 'end');
  const second = await tell(threads, 'second', 'end');
  expect(first).toMatchObject({ said: [{ name: 'first' }], errors: [], exits: 1 });
  expect(second).toEqual({ said: [{ name: 'second', threadId: first.said[0]?.threadId }], errors: [], exits: 1 });
});

test('a thread that has died is not kept, and its session is told of what', async () => {
  const threads = createThreads({ keptIdle: 1 });
  expect(await tell(threads, 'first', 'die')).toEqual({ said: [], errors: ['of first'], exits: 1 });
  expect(await tell(threads, 'second', 'end')).toMatchObject({ said: [{ name: 'second' }], exits: 1 });
});

test('unless it is kept, a thread ends with its session', async () => {
  const threads = createThreads();
  const [first, second] = [await tell(threads, 'first', 'end'), await tell(threads, 'second', 'end')];
  expect(first.said[0]?.threadId).not.toBe(second.said[0]?.threadId);
});
