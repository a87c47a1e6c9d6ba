/** What became of the lines of a charge. Pure. */

import type { LineOfCharge } from './lines/repository.ts';
import { stands } from './states.ts';

/** Whether the system took it off a draft when the charge went: it is as if it had never been, should the charge come back. */
export function isTakenBack(line: LineOfCharge): boolean {
  return line.deletedAtMs !== undefined && line.removedBy === 'system';
}

/** Whether it counts as billed. What does not, and was not taken back, was let off. */
export function isBilled(line: LineOfCharge): boolean {
  return line.deletedAtMs === undefined && stands(line.invoiceStatus);
}

/** Whether nobody is to pay for it, for good: a person took it off, or its invoice was deleted or voided. */
export function isLineLetOff(line: LineOfCharge): boolean {
  return line.deletedAtMs !== undefined || ['deleted', 'voided'].includes(line.invoiceStatus);
}
