import { readFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { seal, unseal } from '../sealed.ts';
import type { Account } from './account.ts';

const FILE = 'account';
const NEXT = 'account.next';

/** Replaces the account; not twice at the same time. Rejects with the system's error. */
export async function writeAccount(folder: string, account: Account): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const next = join(folder, NEXT);
  const file = await open(next, 'w', 0o600);
  try {
    await file.writeFile(seal(JSON.stringify(account)));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, join(folder, FILE));
}

/** undefined = there is none, or one byte of it is wrong. */
export function readAccount(folder: string): Account | undefined {
  try {
    const json = unseal(readFileSync(join(folder, FILE), 'utf8'));
    // Its checksum says that one of our processes wrote it.
    return json === undefined ? undefined : (JSON.parse(json) as Account);
  } catch {
    return undefined;
  }
}
