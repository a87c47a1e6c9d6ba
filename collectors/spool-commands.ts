import type { Clock } from '../delivery/clock.ts';
import type { Config } from './config/read-config.ts';
import { resend } from './core/resend.ts';
import { openSpool } from './core/spool.ts';

/** What the commands on the spool of a collector that is not running need. */
interface Io {
  readonly clock: Clock;
  print(text: string): void;
}

const MAX_DEAD_LETTERS = 100;

export async function resendDeadLetters({ buffer, collectors }: Config, { clock, print }: Io): Promise<void> {
  const spool = openSpool(buffer.path, buffer.maxBytes, clock);
  try {
    for (const { name, mapping } of collectors) {
      const { events, left } = await resend(spool.part(name), name, mapping);
      print(`${name}: ${events} events wait again, ${left} dead letters are left\n`);
    }
  } finally {
    spool.close();
  }
}

export function printStatus({ buffer, collectors }: Config, { clock, print }: Io): void {
  const spool = openSpool(buffer.path, buffer.maxBytes, clock);
  for (const { name } of collectors) {
    const { taken, events, bytes, unmapped, rejected } = spool.part(name).counts;
    print(`${name}: ${taken} taken, ${events} waiting (${bytes} bytes), ${unmapped} unmapped, ${rejected} refused\n`);
  }
  spool.close();
}

export function printDeadLetters({ buffer, collectors }: Config, { clock, print }: Io): void {
  const spool = openSpool(buffer.path, buffer.maxBytes, clock);
  for (const { name } of collectors) {
    for (const { atMs, kind, reason, record } of spool.part(name).deadLetters(MAX_DEAD_LETTERS)) {
      print(`${JSON.stringify({ collector: name, at: new Date(atMs).toISOString(), kind, reason, record })}\n`);
    }
  }
  spool.close();
}
