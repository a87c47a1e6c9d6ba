/** Somebody with spooled events who can give up its oldest. */
export interface Dropper {
  /** Drops the oldest whole segment, which releases its bytes at once. false = there is none to drop now. */
  dropOldest(): boolean;
}

/** What to drop for a new event when the spool is full. */
export type FullPolicy = 'drop_newest' | 'drop_oldest';

/** The bound on all bytes of a spool, whoever wrote them. */
export interface Budget {
  readonly maxBytes: number;
  readonly usedBytes: number;
  /** Makes room if the policy allows it. false = the spool is full. */
  reserve(bytes: number, requester: Dropper): boolean;
  /** For bytes that are there already, whether there is room or not. */
  add(bytes: number): void;
  release(bytes: number): void;
  /** What lies in the spool's folder without being ours: of other processes, or of endpoints that nobody uses now. */
  setForeign(bytes: number): void;
  /** Droppers are asked in the order in which they were added, the requester last. */
  addDropper(dropper: Dropper): void;
  removeDropper(dropper: Dropper): void;
}

export function createBudget(maxBytes: number, policy: FullPolicy): Budget {
  const droppers = new Set<Dropper>();
  let ownBytes = 0;
  let foreignBytes = 0;

  function makeRoom(bytes: number, requester: Dropper): boolean {
    for (const dropper of [...droppers, requester]) {
      while (ownBytes + foreignBytes + bytes > maxBytes && dropper.dropOldest());
    }
    return ownBytes + foreignBytes + bytes <= maxBytes;
  }

  return {
    maxBytes,
    get usedBytes() {
      return ownBytes + foreignBytes;
    },
    reserve(bytes, requester) {
      const hasRoom = ownBytes + foreignBytes + bytes <= maxBytes;
      if (!hasRoom && (policy === 'drop_newest' || !makeRoom(bytes, requester))) return false;
      ownBytes += bytes;
      return true;
    },
    add(bytes) {
      ownBytes += bytes;
    },
    release(bytes) {
      ownBytes -= bytes;
    },
    setForeign(bytes) {
      foreignBytes = bytes;
    },
    addDropper: (dropper) => void droppers.add(dropper),
    removeDropper: (dropper) => void droppers.delete(dropper),
  };
}
