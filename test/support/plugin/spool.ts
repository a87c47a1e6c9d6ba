import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { onTestFinished } from 'vitest';
import { findRecord, type SpoolRecord } from '../../../plugin/delivery/spool/record.ts';
import type { SpoolSettings } from '../../../plugin/delivery/spool/spool.ts';

/** A folder for one test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function spoolSettings(dir: string, overrides: Partial<SpoolSettings> = {}): SpoolSettings {
  return {
    dir,
    maxBytes: 1024 * 1024 * 1024,
    syncMs: 20,
    full: 'drop_newest',
    catchUpEventsPerSecond: 1_000_000,
    deadLetterMaxBytes: 64 * 1024 * 1024,
    ...overrides,
  };
}

/** All files of a folder and below, as paths relative to it. */
export function filesIn(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** The segment files below a folder, in the order in which a process wrote them. */
export function segmentsIn(dir: string): string[] {
  return filesIn(dir)
    .filter((path) => path.endsWith('.events'))
    .map((path) => join(dir, path));
}

/** The records of one file, up to the first that is none. */
export function recordsOf(path: string): SpoolRecord[] {
  const bytes = readFileSync(path);
  const records: SpoolRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const finding = findRecord(bytes, at, true);
    if (finding.kind !== 'record') break;
    records.push(finding.record);
    at = finding.end;
  }
  return records;
}

/** The ids of all events on disk below a folder. */
export function idsOnDisk(dir: string): string[] {
  return segmentsIn(dir)
    .flatMap(recordsOf)
    .map(({ json }) => (JSON.parse(json) as { id: string }).id);
}
