import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type BackendProcess, createBackendProcess } from './support/backend-process.ts';

const event = (id: string) => ({ specversion: '1.0', id, source: 's', type: 't', subject: 'x', data: { v: 1 } });
const send = (backend: BackendProcess, id: string) => backend.post('/events', event(id));
const stored = async (backend: BackendProcess) => ((await backend.get('/ingest-totals')) as { stored: number }).stored;

function created(options: Parameters<typeof createBackendProcess>[0] = {}): BackendProcess {
  const backend = createBackendProcess(options);
  onTestFinished(() => backend.remove());
  return backend;
}

test('a second process on the same data ends with a sentence that names the first, which goes on', async () => {
  const first = created();
  await first.start();
  const second = created({ dataDir: first.dataDir });
  await expect(second.start()).rejects.toThrow(
    new RegExp(`ended with 1: [^]*is in use by the backend \\(process ${first.pid} on [^)]+, since 20[^)]+Z\\)`),
  );
  await send(first, '1');
  // The system gives the lock back, however the first one ends.
  await first.kill();
  await second.start();
  await send(second, '2');
  expect(await stored(second)).toBe(2);
});

test('who has lost the data where no lock holds writes nothing more and ends', async () => {
  const first = created();
  await first.start();
  await send(first, '1');
  // As on a file system without locks.
  rmSync(join(first.dataDir, 'owner.lock'));
  const second = created({ dataDir: first.dataDir });
  await second.start();
  await expect(send(first, '2')).rejects.toThrow();
  expect(await first.ended()).toBe(1);
  expect(first.said()).toContain('another process has taken over the data folder');
  await send(second, '3');
  expect(await stored(second)).toBe(2);
  await second.kill();
});

test('the same by a write of the control database alone', async () => {
  const first = created();
  await first.start();
  rmSync(join(first.dataDir, 'owner.lock'));
  const second = created({ dataDir: first.dataDir });
  await second.start();
  const customer = { key: 'a', name: 'A' };
  await expect(first.post('/customers', customer)).rejects.toThrow();
  expect(await first.ended()).toBe(1);
  await second.post('/customers', customer);
  await second.kill();
});
