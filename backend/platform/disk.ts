import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';

/** Bytes that are left for this process on the disk of a folder. */
export async function freeDiskBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Size of a file in bytes; 0 when there is none. */
export function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
