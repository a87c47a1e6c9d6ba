import { type ChildProcess, fork } from 'node:child_process';
import type { FromParquetProcess, ToParquetProcess } from './parquet-messages.ts';
import { ObjectUnreadable, type Row } from './rows.ts';

/** Reads a part of the object; both in bytes. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>;

/**
 * Of the process that reads a file: some bytes of one can ask for lists of any length. A thread would not do: V8 ends the whole
 * process when one list alone is larger than the memory of its thread.
 */
const MAX_HEAP_MB = 192;
const FLAGS = [`--max-old-space-size=${MAX_HEAP_MB}`, '--max-semi-space-size=4'];

/** Row groups are kept in memory: of all objects that are read in this process, one Parquet file at a time. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The rows of a Parquet file, read by ranges, in a process of its own. 64-bit integers beyond fifteen digits and decimals are
 * texts, instants RFC 3339, bytes base64.
 * @param from rows that are known already
 * @throws ObjectUnreadable when it is no Parquet, or asks for more memory than there is
 */
export async function* rowsOfParquet(read: ReadRange, byteLength: number, from: number): AsyncGenerator<Row> {
  const before = turn;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  turn = over;
  try {
    await before;
    yield* rowsInTurn(read, byteLength, from);
  } finally {
    end();
  }
}

async function* rowsInTurn(read: ReadRange, byteLength: number, from: number): AsyncGenerator<Row> {
  const reader = startReader(read);
  try {
    reader.tell({ kind: 'begin', byteLength, from });
    for (;;) {
      const message = await reader.more();
      if (message.kind === 'end') return;
      if (message.kind === 'unreadable') throw new ObjectUnreadable(message.reason);
      yield* message.rows;
    }
  } finally {
    reader.end();
  }
}

type Answer = Exclude<FromParquetProcess, { kind: 'read' }>;

function startReader(read: ReadRange) {
  const child = fork(new URL('./parquet-process.ts', import.meta.url), {
    execArgv: FLAGS,
    // It needs no secrets, and what V8 has to say at its end is said by us.
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  });
  let answer = Promise.withResolvers<Answer>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    answer.reject(failure.error);
  };
  const tell = (message: ToParquetProcess) => {
    // That it is gone is told by its exit.
    if (child.connected) child.send(message, () => undefined);
  };
  child.on('error', fail);
  child.on('exit', () => fail(new ObjectUnreadable(`needs more than ${MAX_HEAP_MB} MB of memory to be read`)));
  child.on('message', (message: FromParquetProcess) => {
    if (message.kind !== 'read') return answer.resolve(message);
    read(message.start, message.end).then((bytes) => tell({ kind: 'bytes', id: message.id, bytes }), fail);
  });
  return {
    tell,
    async more(): Promise<Answer> {
      if (failure !== undefined) throw failure.error;
      answer = Promise.withResolvers<Answer>();
      tell({ kind: 'more' });
      return answer.promise;
    },
    end: () => ended(child),
  };
}

function ended(child: ChildProcess): void {
  child.removeAllListeners();
  child.on('error', () => undefined);
  child.kill('SIGKILL');
}
