import { mkdir, readdir, readFile, rename, rmdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Clock } from '../../../delivery/clock.ts';
import { tokenTag } from '../origin.ts';
import { adoptedFolder, type FolderName, freeReserve, MACHINE, type OwnFolder, parseFolderName } from './folders.ts';
import { bootId, isOwned } from './owner.ts';

/** A Delivery of this process: it may take over what dead ones with the same endpoint have left behind. */
export interface Heir {
  readonly endpointKey: string;
  readonly token: string;
  folder(): OwnFolder | undefined;
  /** Tries to make the folder, if there is none. */
  claim(): void;
  /** Delivers what is in a folder. Resolves when nothing is left, or when it has to stop. */
  adopt(path: string, owner: FolderName): Promise<void>;
}

/** Looks for folders of dead processes, and hands them to heirs: one at a time for each endpoint, the oldest first. */
export interface Adoption {
  add(heir: Heir): void;
  remove(heir: Heir): void;
  /** Says who inherits a folder, whatever its tag. */
  bequeath(name: string, heir: Heir): void;
  /** One round; to be called now and then. */
  run(): Promise<void>;
  /** Whether it is looking, or something that a dead process has left is being delivered. */
  isBusy(): boolean;
  /** Nothing more is adopted. */
  stop(): void;
}

export interface AdoptionOptions {
  /** The spool's folder. */
  readonly dir: string;
  readonly clock: Clock;
  /** A folder that nobody may take, since several tokens are in use and none of them is its own. */
  readonly onUnclaimed: (name: string) => void;
  readonly onAdopted: (owner: FolderName) => void;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Another machine cannot be asked whether a process of it lives. Its owner touches a file every few seconds; when that
 * has stopped for so long, it is taken for dead.
 */
const SILENT_FOR_MS = 120_000;
/** A folder with a token that is not in use: the token was changed, or its Delivery has not been opened yet. */
const UNCLAIMED_FOR_MS = 60_000;
/** A folder that cannot be read is not tried in every round. */
const TRY_AGAIN_MS = 60_000;
/** More than a spool has folders; should it be less, some are only looked at for longer. */
const MAX_SIGHTINGS = 10_000;

interface State {
  readonly options: AdoptionOptions;
  readonly heirs: Set<Heir>;
  /** Folders with an heir of their own, by name. */
  readonly bequests: Map<string, Heir>;
  /** Since when, by the monotonic clock, a folder has looked the way it does. */
  readonly sightings: Map<string, { readonly looks: string; readonly since: number }>;
  readonly failedAt: Map<string, number>;
}

interface Find {
  readonly heir: Heir;
  readonly path: string;
  readonly owner: FolderName;
}

export function createAdoption(options: AdoptionOptions): Adoption {
  const state: State = {
    options,
    heirs: new Set(),
    bequests: new Map(),
    sightings: new Map(),
    failedAt: new Map(),
  };
  const busy = new Set<string>();
  let running: Promise<void> | undefined;
  let isStopped = false;

  async function round(): Promise<void> {
    for (const key of new Set(Array.from(state.heirs, ({ endpointKey }) => endpointKey))) {
      if (isStopped || busy.has(key)) continue;
      const find = await nextFolder(key, state).catch(options.onTrouble);
      if (find !== undefined && !isStopped) void take(key, find);
    }
  }

  async function take(key: string, { heir, path, owner }: Find): Promise<void> {
    busy.add(key);
    try {
      options.onAdopted(owner);
      await heir.adopt(path, owner);
    } catch (error) {
      state.failedAt.set(path, options.clock.now());
      options.onTrouble(error);
    } finally {
      busy.delete(key);
    }
    await run();
  }

  async function run(): Promise<void> {
    if (isStopped) return;
    running ??= round().finally(() => {
      running = undefined;
    });
    await running;
  }

  return {
    add: (heir) => void state.heirs.add(heir),
    remove: (heir) => void state.heirs.delete(heir),
    bequeath: (name, heir) => void state.bequests.set(name, heir),
    run,
    isBusy: () => running !== undefined || busy.size > 0,
    stop() {
      isStopped = true;
    },
  };
}

async function nextFolder(key: string, state: State): Promise<Find | undefined> {
  const heirs = [...state.heirs].filter(({ endpointKey }) => endpointKey === key);
  for (const heir of heirs) {
    const find = await alreadyTaken(heir, state);
    if (find !== undefined) return find;
  }
  return orphan(key, heirs, state);
}

/** A folder that this heir has taken, or that one whom it has inherited from had taken. */
async function alreadyTaken(heir: Heir, state: State): Promise<Find | undefined> {
  const own = heir.folder();
  if (own === undefined) return undefined;
  const taken = adoptedFolder(own.path);
  for (const { name, owner } of await listFolders(taken)) {
    const path = join(taken, name);
    await moveUp(path, taken);
    if (!hasJustFailed(path, state)) return { heir, path, owner };
  }
  return undefined;
}

/** What a dead process had taken from others belongs beside its own. */
async function moveUp(path: string, target: string): Promise<void> {
  const nested = adoptedFolder(path);
  for (const { name } of await listFolders(nested)) await rename(join(nested, name), join(target, name));
  await rmdir(nested).catch(() => undefined);
}

async function orphan(key: string, heirs: readonly Heir[], state: State): Promise<Find | undefined> {
  const parent = join(state.options.dir, key);
  if (heirs.every((heir) => heir.folder() === undefined)) await makeRoom(parent, heirs, state);
  const own = new Set(heirs.map((heir) => heir.folder()?.name));
  for (const { name, owner } of await listFolders(parent)) {
    const path = join(parent, name);
    if (own.has(name) || !(await isDead(path, owner, state))) continue;
    const heir = heirOf(name, owner, heirs, state);
    const folder = heir?.folder();
    if (heir === undefined || folder === undefined) continue;
    const taken = await makeAdoptedFolder(folder);
    try {
      // Only one of several can move it.
      await rename(path, join(taken, name));
    } catch {
      continue;
    }
    state.bequests.delete(name);
    return alreadyTaken(heir, state);
  }
  return undefined;
}

async function makeAdoptedFolder({ path }: OwnFolder): Promise<string> {
  const taken = adoptedFolder(path);
  const make = () => mkdir(taken, { recursive: true, mode: 0o700 });
  try {
    await make();
  } catch {
    // On a full disk its own reserve may have taken what the dead had to give.
    await freeReserve(path);
    await make();
  }
  return taken;
}

/** No heir has a folder. If that is because the disk is full, the dead have some room to give. */
async function makeRoom(parent: string, heirs: readonly Heir[], state: State): Promise<void> {
  for (const { name, owner } of await listFolders(parent)) {
    const path = join(parent, name);
    if (await isDead(path, owner, state)) await freeReserve(path).catch(() => undefined);
  }
  for (const heir of heirs) heir.claim();
}

/** Whose token the folder has; or, when that is not in use any more, whose token has taken its place. */
function heirOf(name: string, owner: FolderName, heirs: readonly Heir[], state: State): Heir | undefined {
  const bequest = state.bequests.get(name);
  if (bequest !== undefined && heirs.includes(bequest)) return bequest;
  const withFolder = heirs.filter((heir) => heir.folder() !== undefined);
  const related = withFolder.find(({ token }) => tokenTag(owner.process, token) === owner.tag);
  if (related !== undefined) return related;
  const [first, ...others] = withFolder;
  if (first === undefined || unchangedMs(name, 'unclaimed', state) < UNCLAIMED_FOR_MS) return undefined;
  // Which of several tenants the events belong to cannot be known, and a guess would bill the wrong one.
  if (others.every(({ token }) => token === first.token)) return first;
  state.options.onUnclaimed(name);
  return undefined;
}

async function isDead(path: string, owner: FolderName, state: State): Promise<boolean> {
  if (await isOwned(path, owner.process)) return false;
  const machine = join(path, MACHINE);
  const [boot] = (await readFile(machine, 'utf8').catch(() => '')).split('\n', 1);
  if (boot === bootId()) return true;
  const touchedAt = await stat(machine).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return unchangedMs(basename(path), `touched ${touchedAt}`, state) >= SILENT_FOR_MS;
}

/** For how long the folder has been seen to look like this. */
function unchangedMs(name: string, looks: string, { sightings, options }: State): number {
  const key = `${name} ${looks.split(' ', 1)[0]}`;
  const now = options.clock.now();
  const seen = sightings.get(key);
  if (seen?.looks === looks) return now - seen.since;
  // Folders that are gone are not asked about again.
  if (sightings.size >= MAX_SIGHTINGS) sightings.clear();
  sightings.set(key, { looks, since: now });
  return 0;
}

function hasJustFailed(path: string, { failedAt, options }: State): boolean {
  const at = failedAt.get(path);
  return at !== undefined && options.clock.now() - at < TRY_AGAIN_MS;
}

/** The spool's folders in a folder, the oldest process first; none when the folder is not there. */
async function listFolders(path: string): Promise<{ name: string; owner: FolderName }[]> {
  const names = await readdir(path).catch(() => []);
  return names
    .flatMap((name) => {
      const owner = parseFolderName(name);
      return owner === undefined ? [] : [{ name, owner }];
    })
    .toSorted((a, b) => (a.owner.process < b.owner.process ? -1 : 1));
}
