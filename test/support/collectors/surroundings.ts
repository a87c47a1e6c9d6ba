import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { type IngestServer, startIngestServer } from './ingest-server.ts';
import { type RunningCollect, startCollect } from './running.ts';

/** A folder for a spool, which goes with the test. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): void;
}

export function tempFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'collect-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** What a collector stands between, new for each test of a file: an endpoint, a disk, and where it reads from. */
export interface Surroundings<Source> {
  readonly source: Source;
  readonly server: IngestServer;
  readonly folder: TemporaryFolder;
  /** The collector's disk is a new one. */
  forgetEverything(): void;
  /** The endpoint is another one, which knows nothing. */
  anotherEndpoint(): Promise<void>;
}

/** To be called by each file: they may share one process. @param start what is read from; default nothing */
export function surroundingsOfEachTest(): Surroundings<undefined>;
export function surroundingsOfEachTest<Source extends { close(): Promise<void> }>(
  start: () => Promise<Source>,
): Surroundings<Source>;
export function surroundingsOfEachTest<Source extends { close(): Promise<void> }>(start?: () => Promise<Source>) {
  let source: Source | undefined;
  let server: IngestServer;
  let folder: TemporaryFolder;
  beforeEach(async () => {
    source = await start?.();
    server = await startIngestServer();
    folder = tempFolder();
  });
  afterEach(async () => {
    await source?.close();
    await server.close();
    folder.remove();
  });
  return {
    get source() {
      return source;
    },
    get server() {
      return server;
    },
    get folder() {
      return folder;
    },
    forgetEverything() {
      folder.remove();
      folder = tempFolder();
    },
    async anotherEndpoint() {
      await server.close();
      server = await startIngestServer();
    },
  };
}

/** Runs it until it has read what is there. */
export async function collectOnce(config: string, args: readonly string[] = []): Promise<RunningCollect> {
  const collect = startCollect(config, ['--once', ...args]);
  expect(await collect.ended, collect.said.join()).toBe(0);
  return collect;
}
