import { expect, test } from 'vitest';
import { decodeMessage, type Message } from '../../gateway-player/protobuf-messages.ts';
import { fc } from '../../support/property.ts';
import { callFrame, eventFrame, textFrame } from './support/frames.ts';
import { type HostInProcess, startHost } from './support/host-in-process.ts';
import { openRawConnection, type RawConnection } from './support/raw-connection.ts';

/** Keeps which configuration logged what; some of its events take a turn longer than others. */
const PLUGIN = `
const { seen } = globalThis;
exports.Plugin = class {
  constructor({ say }) { this.say = say; }
  async log(kong) {
    const entry = await kong.log.serialize();
    if (this.say.endsWith('1')) await new Promise(setImmediate);
    seen.model.push(this.say + ' ' + entry);
  }
};`;

const CONNECTIONS = 4;
const EMPTY = Buffer.alloc(0);

/** One thing that Kong does over one connection. */
const step = fc.record({
  kind: fc.constantFrom('start', 'event', 'event', 'event', 'event of none', 'close', 'status'),
  /** Which of the instances that there are; modulo their number. */
  choice: fc.nat(1000),
  /** Where the bytes are split. */
  cuts: fc.array(fc.nat(40), { maxLength: 4 }),
  entry: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Instance {
  readonly id: number;
  readonly say: string;
  uses: number;
}

/** What should be, told apart from how it came about. */
interface Model {
  readonly open: Instance[];
  readonly closedIds: number[];
  readonly expected: string[];
  started: number;
}

/** Kong's side of one connection. */
interface Line {
  /** Resolves with the next `answers` frames behind these bytes. */
  exchange(bytes: Buffer, cuts: readonly number[], answers: number): Promise<readonly Buffer[]>;
  call(cuts: readonly number[], method: string, args: Message): Promise<Message>;
  nextSequence(): number;
  /** After the plugin server has closed the connection. */
  reopen(): Promise<void>;
  close(): void;
}

async function openLine(socketPath: string): Promise<Line> {
  let connection: RawConnection = await openRawConnection(socketPath);
  let received = 0;
  let sequence = 1;
  const line: Line = {
    async exchange(bytes, cuts, answers) {
      await connection.writeSplit(
        bytes,
        cuts.toSorted((a, b) => a - b),
      );
      received += answers;
      return (await connection.received(received)).slice(received - answers);
    },
    async call(cuts, method, args) {
      const [frame = EMPTY] = await line.exchange(callFrame(line.nextSequence(), method, args), cuts, 1);
      const answer = decodeMessage('RpcReturn', frame);
      expect(answer['sequence']).toBe(sequence);
      return (answer['instance_status'] ?? {}) as Message;
    },
    nextSequence: () => ++sequence,
    async reopen() {
      await connection.closed;
      connection = await openRawConnection(socketPath);
      received = 0;
    },
    close: () => connection.close(),
  };
  return line;
}

async function start(line: Line, model: Model, { cuts }: Step): Promise<void> {
  const say = `config-${model.started++}`;
  const config = Buffer.from(JSON.stringify({ say }));
  const { instance_id: id } = await line.call(cuts, 'cmd_start_instance', { name: 'model', config });
  expect(model.open.some((instance) => instance.id === id) || model.closedIds.includes(Number(id))).toBe(false);
  model.open.push({ id: Number(id), say, uses: 0 });
}

async function event(line: Line, model: Model, instance: Instance, current: Step, inAdvance: boolean): Promise<void> {
  const { cuts, entry } = current;
  const sequence = line.nextSequence();
  instance.uses++;
  model.expected.push(`${instance.say} ${entry}`);
  const asked = await line.exchange(eventFrame(sequence, instance.id), cuts, inAdvance ? 4 : 2);
  const answered = await line.exchange(textFrame(entry), cuts, inAdvance ? 0 : 2);
  instance.uses--;
  const [name, args, end, answer = EMPTY] = [...asked, ...answered];
  expect([name, args, end].map(String)).toEqual(['kong.log.serialize', '', '']);
  expect(decodeMessage('RpcReturn', answer)).toEqual({ sequence });
}

async function close(line: Line, model: Model, { cuts, choice }: Step): Promise<void> {
  // Were it in use, its event might go either way.
  const idle = model.open.filter(({ uses }) => uses === 0);
  const instance = idle[choice % idle.length];
  if (instance === undefined) return;
  model.open.splice(model.open.indexOf(instance), 1);
  const { id } = instance;
  expect(await line.call(cuts, 'cmd_close_instance', { instance_id: id })).toMatchObject({ instance_id: id });
  model.closedIds.push(id);
}

async function eventOfNone(line: Line, model: Model, { cuts, choice }: Step): Promise<void> {
  const id = model.closedIds[choice % model.closedIds.length] ?? 5;
  const [words] = await line.exchange(eventFrame(line.nextSequence(), id), cuts, 2);
  expect(String(words)).toBe(`no plugin instance #${id}`);
  await line.reopen();
}

async function play(host: HostInProcess, steps: readonly Step[], model: Model, inAdvance: boolean): Promise<void> {
  const line = await openLine(host.socketPath);
  for (const current of steps) {
    const { kind, choice, cuts } = current;
    const instance = model.open[choice % model.open.length];
    if (kind === 'event of none') await eventOfNone(line, model, current);
    else if (kind === 'close') await close(line, model, current);
    else if (kind === 'start' || instance === undefined) await start(line, model, current);
    else if (kind === 'event') await event(line, model, instance, current, inAdvance);
    else {
      const { id } = instance;
      instance.uses++;
      expect(await line.call(cuts, 'cmd_get_instance_status', { instance_id: id })).toMatchObject({ instance_id: id });
      instance.uses--;
    }
  }
  line.close();
}

test.each([
  ['made by the plugin', '', false],
  ['made in advance', "exports.Prefetch = { log: ['kong.log.serialize'] };", true],
])(
  'whatever Kong does over several connections, every entry reaches its configuration once: calls %s',
  async (_how, more, inAdvance) => {
    const scripts = fc.array(fc.array(step, { maxLength: 15 }), { minLength: 1, maxLength: CONNECTIONS });
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const host = await startHost('model', PLUGIN + more);
        const model: Model = { open: [], closedIds: [], expected: [], started: 0 };
        await Promise.all(script.map((steps) => play(host, steps, model, inAdvance)));
        await expect.poll(() => host.seen.length).toBe(model.expected.length);
        expect(host.seen.map(String).sort()).toEqual(model.expected.sort());
        expect(host.logged).toEqual([]);
        await host.close();
      }),
      { numRuns: 60 },
    );
  },
);
