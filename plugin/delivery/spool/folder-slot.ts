import type { Clock } from '../../../delivery/clock.ts';
import { codeOf, type SpoolFiles } from './files.ts';
import { claimFolder, type OwnFolder } from './folders.ts';

/** The folder of one store, which is claimed when it is needed, and again when somebody has removed it. */
export interface FolderSlot {
  readonly current: OwnFolder | undefined;
  /** @throws the system's error */
  claim(): OwnFolder;
  /** Says that the owner lives. false = the folder is gone; the next claim makes another one. */
  beat(): boolean;
  /** Gives it up: with `isEmpty` the folder goes, otherwise whoever comes next adopts it. */
  end(isEmpty: boolean): Promise<void>;
}

export function createFolderSlot(parent: string, name: string, clock: Clock, files: SpoolFiles): FolderSlot {
  let current: OwnFolder | undefined;
  return {
    get current() {
      return current;
    },
    claim() {
      current ??= claimFolder(parent, name, clock, files);
      return current;
    },
    beat() {
      try {
        current?.beat();
        return true;
      } catch (error) {
        // On a folder that has become read-only the owner's socket still speaks for it.
        if (codeOf(error) !== 'ENOENT') return true;
        void current?.end(false);
        current = undefined;
        return false;
      }
    },
    async end(isEmpty) {
      const ending = current;
      current = undefined;
      await ending?.end(isEmpty);
    },
  };
}
