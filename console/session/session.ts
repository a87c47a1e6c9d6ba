import { computed, readonly, shallowRef } from 'vue';
import { problemOf } from '../api/problem.ts';
import { awaitHeading } from '../shared/heading-focus.ts';

/**
 * Who is signed in. The browser keeps the session in a cookie that no script can read, for all its tabs; here stands only
 * what the server says of it.
 */
export interface Session {
  /** Who it is, as the audit log names them: the id of the access token that was exchanged, or that of the person. */
  id?: string;
  sessionId?: string;
  /** The name of the token or the person. */
  name: string;
  role: string;
  /** What the role includes: "read", "write" … */
  grants: readonly string[];
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

const session = shallowRef<Session | undefined>();
const notice = shallowRef('');
const ways = shallowRef<readonly SignInWay[]>([]);

/** Tells the other tabs that somebody has signed in or out. */
const tabs = new BroadcastChannel('metering-and-billing.session');
tabs.onmessage = ({ data }: MessageEvent<unknown>) => {
  if (data === 'signed-out') finish('You have signed out in another tab.');
  if (data === 'signed-in') void followOtherTab();
};

/** Whose session this is, and what it may do: change what is billed; change meters, events, apps and tokens. */
export function useSession() {
  return {
    session: readonly(session),
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
    const state = (await ask('GET', '/v3/openmeter/sign-in')) as SignInState;
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
  const begun = (await ask('POST', '/v3/openmeter/sessions', headers)) as OwnSession;
  notice.value = '';
  awaitHeading();
  session.value = toSession(begun);
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

/** The server does not know the session any more. */
export function endSession(): void {
  finish(SESSION_ENDED);
}

function finish(reason: string): void {
  if (session.value === undefined) return;
  notice.value = reason;
  session.value = undefined;
}

/** Who has signed in as somebody else there is so here too: what this tab shows may be none of theirs. */
async function followOtherTab(): Promise<void> {
  const before = session.value?.id;
  await restoreSession();
  if (before !== undefined && before !== session.value?.id) location.reload();
}

interface OwnSession {
  id: string;
  actor_id: string;
  name: string;
  role: string;
  grants: string[];
}

interface SignInState {
  methods: { method: string; name?: string; start_path?: string }[];
  session?: OwnSession;
  session_ended?: true;
}

function toSession({ id, actor_id, name, role, grants }: OwnSession): Session {
  return { id: actor_id, sessionId: id, name, role, grants };
}

/** Not by the client: what is wrong here is an answer, not the end of a session. */
async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(path, { method, headers }).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw problemOf(response.status, body);
  return body;
}
