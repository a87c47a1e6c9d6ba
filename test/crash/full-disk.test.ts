import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type BackendProcess, createBackendProcess, INGEST_TOKEN } from './support/backend-process.ts';
import { countOf, METER } from './support/usage.ts';

const SUBJECT = 'full-disk';
const BATCH = 200;
const TEXT = 'x'.repeat(1000);

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

/** Root may, but not in every container. */
function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'mount-try-'));
  try {
    run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder);
    run('umount', folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function smallDisk(size: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'full-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder);
  onTestFinished(() => {
    run('umount', '--lazy', folder);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function batch(number: number): object[] {
  return Array.from({ length: BATCH }, (_, index) => ({
    specversion: '1.0',
    id: `${number}-${index}`,
    source: 'full-disk',
    type: METER.event_type,
    subject: SUBJECT,
    data: { text: TEXT },
  }));
}

function ingest(backend: BackendProcess, number: number): Promise<Response> {
  return fetch(`${backend.url}/v3/openmeter/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${INGEST_TOKEN}`, 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(batch(number)),
  });
}

test.skipIf(!mayMount())(
  'a disk that gets full under ingest: 503 with Retry-After, nothing acknowledged is lost, and it goes on when there is room',
  async () => {
    const disk = smallDisk('24m');
    const backend = createBackendProcess({ dataDir: join(disk, 'data') });
    onTestFinished(() => backend.remove());
    await backend.start();
    await backend.post('/meters', METER);
    let acknowledged = 0;
    let number = 0;
    const refused: Response[] = [];
    while (refused.length < 5) {
      expect(number).toBeLessThan(1000);
      const answer = await ingest(backend, number++);
      if (answer.ok) acknowledged += BATCH;
      else refused.push(answer);
    }
    for (const answer of refused) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '30']);
      expect(await answer.text()).toContain('Nothing of the request was stored');
    }
    expect(acknowledged).toBeGreaterThan(2000);
    // It lives, and what is stored can be read.
    expect((await fetch(`${backend.url}/healthz`)).status).toBe(200);
    expect(await countOf(backend, SUBJECT)).toBe(acknowledged);

    run('mount', '-o', 'remount,size=96m', disk);
    for (let again = 0; again < number; again++) expect((await ingest(backend, again)).ok).toBe(true);
    // What had been refused is stored once, what had been stored is a duplicate.
    expect(await countOf(backend, SUBJECT)).toBe(number * BATCH);

    await backend.kill();
    await backend.start();
    expect(await countOf(backend, SUBJECT)).toBe(number * BATCH);
  },
  300_000,
);
