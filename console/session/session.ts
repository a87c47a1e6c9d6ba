import { computed, readonly, shallowRef } from 'vue';
import { awaitHeading } from '../shared/heading-focus.ts';

/** What the caller may do, as the server says. */
export interface Session {
  token: string;
  /** The token's id. */
  id?: string;
  /** The token's name. */
  name: string;
  role: string;
  /** What the role includes: "read", "write" … */
  grants: readonly string[];
}

/** Kept for the tab only: closing it signs out, and another tab knows nothing. Never in an address. */
const STORAGE_KEY = 'metering-and-billing.session';

const session = shallowRef<Session | undefined>(restore());
const notice = shallowRef('');

function restore(): Session | undefined {
  try {
    const stored = sessionStorage.getItem(STORAGE_KEY);
    return stored === null ? undefined : (JSON.parse(stored) as Session);
  } catch {
    return undefined;
  }
}

/** The session of this tab, and what it may do: change what is billed; change meters, events, apps and tokens. */
export function useSession() {
  return {
    session: readonly(session),
    /** Why the last session ended, for the sign-in page. */
    notice: readonly(notice),
    canWrite: computed(() => session.value?.grants.includes('write') ?? false),
    canAdminister: computed(() => session.value?.grants.includes('administer') ?? false),
  };
}

export function currentToken(): string | undefined {
  return session.value?.token;
}

export function beginSession(value: Session): void {
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(value));
  notice.value = '';
  awaitHeading();
  session.value = value;
}

/** @param reason shown on the sign-in page; none when one signed out oneself */
export function endSession(reason = ''): void {
  sessionStorage.removeItem(STORAGE_KEY);
  notice.value = reason;
  session.value = undefined;
}
