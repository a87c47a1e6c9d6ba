import fs from 'node:fs';
import { promisify } from 'node:util';

/** What the spool asks of the file system. Each rejects, or throws, with the system's own error (`code`: ENOSPC, EIO …). */
export interface SpoolFiles {
  /** Creates a file that must not exist, for its owner only. */
  create(path: string): Promise<number>;
  createSync(path: string): number;
  openForReading(path: string): Promise<number>;
  /** Writes all bytes, or rejects; then some of them may have been written. */
  write(file: number, bytes: Buffer, position: number): Promise<void>;
  writeSync(file: number, bytes: Buffer, position: number): void;
  /** Resolves when what has been written would survive a loss of power. */
  sync(file: number): Promise<void>;
  /** The same for the names in a folder. */
  syncFolder(path: string): Promise<void>;
  /** How many bytes could be read; fewer than asked for at the end of the file. */
  read(file: number, into: Buffer, bytes: number, position: number): Promise<number>;
  truncate(file: number, bytes: number): Promise<void>;
  close(file: number): Promise<void>;
  unlink(path: string): Promise<void>;
}

const OWNER_ONLY = 0o600;

const calls = {
  open: promisify(fs.open),
  write: promisify(fs.write),
  fdatasync: promisify(fs.fdatasync),
  fsync: promisify(fs.fsync),
  read: promisify(fs.read),
  ftruncate: promisify(fs.ftruncate),
  close: promisify(fs.close),
  unlink: promisify(fs.unlink),
};

/** The machine's file system. All but the *Sync calls run on Node's thread pool, beside the event loop. */
export const nodeFiles: SpoolFiles = {
  create: (path) => calls.open(path, 'wx+', OWNER_ONLY),
  createSync: (path) => fs.openSync(path, 'wx+', OWNER_ONLY),
  openForReading: (path) => calls.open(path, 'r'),
  async write(file, bytes, position) {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await calls.write(file, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  },
  writeSync(file, bytes, position) {
    for (let done = 0; done < bytes.length; ) {
      done += fs.writeSync(file, bytes, done, bytes.length - done, position + done);
    }
  },
  sync: (file) => calls.fdatasync(file),
  async syncFolder(path) {
    const folder = await calls.open(path, 'r');
    try {
      await calls.fsync(folder);
    } finally {
      await calls.close(folder);
    }
  },
  async read(file, into, bytes, position) {
    let done = 0;
    while (done < bytes) {
      const { bytesRead } = await calls.read(file, into, done, bytes - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  },
  truncate: (file, bytes) => calls.ftruncate(file, bytes),
  close: (file) => calls.close(file),
  unlink: (path) => calls.unlink(path),
};

/** The system's name of an error, for log lines: ENOSPC, EROFS, EIO … */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
