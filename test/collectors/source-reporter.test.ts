import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSourceReporter } from '../../collectors/core/source-reporter.ts';
import { openSpool } from '../../collectors/core/spool.ts';
import { systemClock } from '../../delivery/clock.ts';
import { tempFolder } from '../support/collectors/surroundings.ts';

test('an error with any characters, cut within one, is told in text that every backend takes', async () => {
  const folder = tempFolder();
  const spool = openSpool(join(folder.path, 'spool.sqlite'), 1e6, systemClock);
  const sent: string[] = [];
  const stopper = new AbortController();
  const reporter = createSourceReporter({
    part: spool.part('a'),
    node: 'collector:a',
    kind: 'aws_s3',
    version: '1',
    transport: {
      async post(body) {
        sent.push(Buffer.concat(body).toString());
        return { kind: 'status', status: 204, retryAfter: undefined, date: undefined };
      },
      destroy() {},
    },
    clock: systemClock,
    signal: stopper.signal,
    state: { upToMs: undefined, open: undefined },
  });
  const log = reporter.watch({ note() {}, flush() {} });
  const cause = `a\0b\ud800c ${'مفتاح '.repeat(20)}${'x'.repeat(369)}\u{1f600}`;
  log.note({ key: 'a', level: 'error', msg: 'no', fields: { cause } });
  const running = reporter.run();
  stopper.abort();
  await running;
  spool.close();
  folder.remove();
  const { message } = JSON.parse(sent.at(-1) ?? '').error;
  expect(message).toMatch(/^no: a\ufffdb\ufffdc مفتاح .*x\ufffd$/u);
  expect(message).toHaveLength(500);
});
