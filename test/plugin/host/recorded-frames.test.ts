import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { decodeMessage } from '../../gateway-player/protobuf-messages.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';
import { openRawConnection, payloadsIn } from './support/raw-connection.ts';

const FIXTURE = join(import.meta.dirname, '../../fixtures/kong/protobuf-log-only.jsonl');

interface RecordedChunk {
  readonly dir: 'kong->js' | 'js->kong';
  readonly hex: string;
}

/** What Kong sent before it waited, and what it was answered then. */
interface Exchange {
  readonly sent: Buffer;
  readonly answered: Buffer;
}

function recordedExchanges(): readonly Exchange[] {
  const exchanges: { sent: Buffer[]; answered: Buffer[] }[] = [];
  for (const line of readFileSync(FIXTURE, 'utf8').split('\n')) {
    const { dir, hex } = (line === '' ? {} : JSON.parse(line)) as Partial<RecordedChunk>;
    if (hex === undefined) continue;
    const last = exchanges.at(-1);
    if (dir === 'js->kong') last?.answered.push(Buffer.from(hex, 'hex'));
    else if (last === undefined || last.answered.length > 0) {
      exchanges.push({ sent: [Buffer.from(hex, 'hex')], answered: [] });
    } else last.sent.push(Buffer.from(hex, 'hex'));
  }
  return exchanges.map(({ sent, answered }) => ({ sent: Buffer.concat(sent), answered: Buffer.concat(answered) }));
}

const EXCHANGES = recordedExchanges();
const ANSWERS = payloadsIn(Buffer.concat(EXCHANGES.map(({ answered }) => answered)));
/** What Kong logged, in order. */
const ENTRIES = payloadsIn(Buffer.concat(EXCHANGES.map(({ sent }) => sent)))
  .filter((payload) => payload.length > 1000)
  .map((payload) => decodeMessage('String', payload)['v']);

/** Keeps what it logs together with the configuration that it logs it with. */
const KEEPER = `
const { seen } = globalThis;
exports.Plugin = class {
  constructor(config) { this.sequence = config.__seq__; }
  async log(kong) { seen.bench.push([this.sequence, await kong.log.serialize()]); }
};`;

let host: HostInProcess;

afterEach(() => host.close());

/** Sends what Kong sent, waiting for as much as it was answered; @returns what came back */
async function replay(splitAt: readonly number[]): Promise<readonly Buffer[]> {
  const connection = await openRawConnection(host.socketPath);
  let expected = 0;
  for (const { sent, answered } of EXCHANGES) {
    await connection.writeSplit(sent, splitAt);
    expected += payloadsIn(answered).length;
    await connection.received(expected);
  }
  const frames = connection.frames();
  connection.close();
  return frames;
}

/** Ours says more of an instance than the recorded server; everything else is the same, byte for byte. */
function expectAnswers(frames: readonly Buffer[]): void {
  expect(frames).toHaveLength(ANSWERS.length);
  for (const [index, answer] of ANSWERS.entries()) {
    const ours = frames[index] ?? Buffer.alloc(0);
    const name = answer.toString('latin1');
    if (answer.length === 0 || name.startsWith('kong.') || ours.equals(answer)) {
      expect(ours.toString('hex')).toBe(answer.toString('hex'));
    } else expect(decodeMessage('RpcReturn', ours)).toMatchObject(decodeMessage('RpcReturn', answer));
  }
}

/** By the sequence numbers of the two configurations. The event after the change of the configuration belongs to the instance that was started for it. */
const LOGGED = ENTRIES.map((entry, index) => [index < 3 ? 2 : 3, entry]);

const LONG = process.env['LONG'] === '1';

describe.each([
  ['made as the plugin makes them', KEEPER],
  ['made in advance', `${KEEPER} exports.Prefetch = { log: ['kong.log.serialize'] };`],
])('what a gateway sent, with calls %s', (_how, source) => {
  test('is answered as it was', async () => {
    // The recorded server counted its instances from 1.
    host = await startHost('bench', source, 1);
    expectAnswers(await replay([]));
    await expect.poll(() => host.seen).toHaveLength(4);
    expect(host.seen.map((entry) => (entry as unknown[])[1])).toEqual(ENTRIES);
    expect(host.seen).toEqual(LOGGED);
  });

  test('is answered the same when every byte comes alone', async () => {
    host = await startHost('bench', source, 1);
    expectAnswers(await replay(Array.from({ length: 2000 }, (_, position) => position)));
    await expect.poll(() => host.seen).toEqual(LOGGED);
  });

  test('is answered the same wherever the chunks are split', async () => {
    const longest = Math.max(...EXCHANGES.map(({ sent }) => sent.length));
    // Frames have lengths of their own, so that a prime step comes to every place of them; calls are short, and whole.
    for (let position = 1; position < longest; position += LONG || position < 60 ? 1 : 11) {
      host = await startHost('bench', source, 1);
      expectAnswers(await replay([position, position + 3]));
      await host.close();
    }
  });
});
