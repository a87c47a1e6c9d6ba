import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { RequestsLog } from './account.ts';

/** What is looked at of its end: does nginx write what it was told to? */
const TAIL_BYTES = 64;
const NEWLINE = 0x0a;
/** A log that is as young as this was begun by the gateway that has started this process, or was started after it. */
const NEW_FOR_MS = 60_000;

export interface ReadRequestsLog {
  readonly log: RequestsLog;
  readonly isNew: boolean;
}

/**
 * The gateway's log of requests, to which nginx appends one byte for each request that is over: an access log whose
 * format is empty has nothing but the ends of lines.
 * @throws the system's error, or one with the code NOT_ONE_BYTE_EACH
 */
export function readRequestsLog(path: string, nowEpochMs: number): ReadRequestsLog {
  const file = openSync(path, 'r');
  try {
    const { ino, size, birthtimeMs } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(TAIL_BYTES, size));
    readSync(file, tail, 0, tail.length, size - tail.length);
    if (tail.some((byte) => byte !== NEWLINE)) throw Object.assign(new Error(path), { code: 'NOT_ONE_BYTE_EACH' });
    return { log: { file: `${ino} ${birthtimeMs}`, size }, isNew: Math.abs(nowEpochMs - birthtimeMs) < NEW_FOR_MS };
  } finally {
    closeSync(file);
  }
}

/** Makes the log, if the gateway has not yet: then it is this process's to cut off. @throws the system's error */
export function makeRequestsLog(path: string): void {
  closeSync(openSync(path, 'a', 0o644));
}

/**
 * Cuts the log off. nginx appends, and so goes on from there.
 * @returns its size before
 * @throws the system's error
 */
export function truncateRequestsLog(path: string): number {
  const file = openSync(path, 'r+');
  try {
    const { size } = fstatSync(file);
    ftruncateSync(file, 0);
    return size;
  } finally {
    closeSync(file);
  }
}
