import { computed, readonly, shallowRef, watch } from 'vue';
import { awaitHeading } from '../shared/heading-focus.ts';
import { hasUnsaved } from '../shared/unsaved.ts';
import { ask, type OwnSession, readSignIn, type Session, toSession } from './sign-in-api.ts';

/** The session is over, and the page stays as it is until somebody signs in: what was entered is not lost. */
export interface Interruption {
  /** For people. */
  reason: string;
  /** Whoever has signed out does not want the page to be seen. */
  isHidden: boolean;
}

/** A way to sign in besides an access token. */
export interface SignInWay {
  name: string;
  startPath: string;
}

const SESSION_ENDED = 'Your session has ended. Sign in again.';

/** Why the provider's answer has not signed anybody in. Texts stand here, not in the address, which anybody can write. */
const FAILURES: Record<string, string> = {
  denied: 'The sign-in was cancelled.',
  no_role: 'You have none of the roles that may use this console. Ask who administers it.',
  expired: 'The sign-in took too long, or was begun in another window. Try again.',
  failed: 'The sign-in did not work. Try again, or ask who administers this server: its log tells why.',
};

/** Whose page it is: also while it waits for a sign-in. */
const session = shallowRef<Session | undefined>();
const interruption = shallowRef<Interruption>();
const notice = shallowRef('');
const ways = shallowRef<readonly SignInWay[]>([]);

/** Tells the other tabs that somebody has signed in or out. */
const tabs = new BroadcastChannel('metering-and-billing.session');
tabs.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (data === 'signed-out') leaveWithOtherTab();
  if (data === 'signed-in') void lookForSession();
};
// Whoever has signed in elsewhere without a word to the tabs, at a provider say, comes back here.
window.addEventListener('focus', () => {
  if (interruption.value !== undefined) void lookForSession();
});

/** Whose session this is, and what it may do: change what is billed; change meters, events, apps and tokens. */
export function useSession() {
  return {
    session: readonly(session),
    interruption: readonly(interruption),
    /** Why the last session ended, for the sign-in page. */
    notice: readonly(notice),
    /** For the sign-in page. */
    ways: readonly(ways),
    canWrite: computed(() => session.value?.grants.includes('write') ?? false),
    canAdminister: computed(() => session.value?.grants.includes('administer') ?? false),
  };
}

/** Asks the server whose session the browser has: before anything is shown, so that a new tab stays signed in. */
export async function restoreSession(): Promise<void> {
  try {
    const state = await readSignIn();
    ways.value = state.methods.flatMap(({ name, start_path }) =>
      start_path === undefined ? [] : [{ name: name ?? 'single sign-on', startPath: start_path }],
    );
    session.value = state.session && toSession(state.session);
    notice.value = takeFailure() ?? (state.session_ended ? SESSION_ENDED : '');
  } catch (problem) {
    notice.value = (problem as Error).message;
  }
}

/** What the address tells of a sign-in that failed; it is taken out, so that a reload does not tell it again. */
function takeFailure(): string | undefined {
  const url = new URL(window.location.href);
  const failure = url.searchParams.get('sign_in');
  if (failure === null) return undefined;
  url.searchParams.delete('sign_in');
  window.history.replaceState(window.history.state, '', url);
  return FAILURES[failure];
}

/**
 * Exchanges an access token for a session; the token is kept nowhere.
 * @throws Error whose message is for people
 */
export async function beginSession(token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  const { role, grants } = (await ask('GET', '/v3/openmeter/access-tokens/self', headers)) as Session;
  if (!grants.includes('read')) {
    throw new Error(`This token's role, "${role}", cannot read. Sign in with one that can read.`);
  }
  if (!maySaveWhatWasEntered(grants)) throw new Error(mayNotSave(`This token's role, "${role}",`));
  const begun = (await ask('POST', '/v3/openmeter/sessions', headers)) as OwnSession;
  notice.value = '';
  if (session.value === undefined) awaitHeading();
  take(toSession(begun));
  announceSignIn();
}

/** Tells the other tabs, which may wait for it, that somebody has signed in. */
export function announceSignIn(): void {
  tabs.postMessage('signed-in');
}

/** Signs out in all tabs of this browser. The server may not be reached: then the cookie is left to its end. */
export async function signOut(): Promise<void> {
  await ask('DELETE', '/v3/openmeter/sessions/self').catch(() => undefined);
  finish('');
  tabs.postMessage('signed-out');
}

/** Ends every session of the same token or person, wherever it is open. @throws Error whose message is for people */
export async function signOutEverywhere(): Promise<void> {
  await ask('POST', '/v3/openmeter/sessions/sign-out-everywhere');
  finish('');
  tabs.postMessage('signed-out');
}

/** For `endSession`: who a request is sent as. */
export function currentSession(): Session | undefined {
  return session.value;
}

/**
 * The server has not known the session of a request.
 * @param sentAs whose request it was: a late answer says nothing of a session that was begun since
 */
export function endSession(sentAs: Session | undefined): void {
  if (sentAs === undefined || sentAs !== session.value) return;
  interruption.value ??= { reason: SESSION_ENDED, isHidden: false };
}

/** Resolves when somebody is signed in; at once where nobody is waited for. @throws when the signal aborts */
export async function untilSignedIn(signal: AbortSignal): Promise<void> {
  if (interruption.value === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (how: () => void) => {
      stop();
      signal.removeEventListener('abort', abort);
      how();
    };
    const abort = () => settle(() => reject(signal.reason));
    const stop = watch(interruption, (waiting) => waiting === undefined && settle(resolve), { flush: 'sync' });
    signal.addEventListener('abort', abort);
  });
}

function finish(reason: string): void {
  if (session.value === undefined) return;
  notice.value = reason;
  interruption.value = undefined;
  session.value = undefined;
}

function leaveWithOtherTab(): void {
  const reason = 'You have signed out in another tab.';
  if (session.value !== undefined && hasUnsaved()) interruption.value = { reason, isHidden: true };
  else finish(reason);
}

/** Somebody may have signed in in another tab. */
async function lookForSession(): Promise<void> {
  const state = await readSignIn().catch(() => undefined);
  if (state?.session !== undefined) take(toSession(state.session));
}

/**
 * Who has signed in. What the page shows and is filled in with is theirs if they are who was there before. Of somebody
 * else nothing stays: but for what was entered, by whoever signs in over it and may save it.
 */
function take(next: Session): void {
  const before = session.value;
  if (before !== undefined && !isSame(before, next)) {
    if (!hasUnsaved()) {
      window.location.reload();
      return;
    }
    if (!maySaveWhatWasEntered(next.grants)) {
      const reason = mayNotSave(`${next.name} is signed in now, whose role, "${next.role}",`);
      interruption.value = { reason, isHidden: true };
      return;
    }
  }
  session.value = next;
  interruption.value = undefined;
}

/** Whether two sessions are of the same person or token, with the same rights. */
export function isSame(one: Session, other: Session): boolean {
  return one.id === other.id && one.role === other.role;
}

function maySaveWhatWasEntered(grants: readonly string[]): boolean {
  return session.value === undefined || !hasUnsaved() || session.value.grants.every((grant) => grants.includes(grant));
}

function mayNotSave(who: string): string {
  return `${who} may not do all that "${session.value?.role}" may, as whom this page was filled in. Sign in with that role, or give up what was entered.`;
}
