import { problemOf } from '../api/problem.ts';

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

/** Whose session the browser has, and how one can sign in. @throws Error whose message is for people */
export async function readSignIn(): Promise<SignInState> {
  return (await ask('GET', '/v3/openmeter/sign-in')) as SignInState;
}

export interface OwnSession {
  id: string;
  actor_id: string;
  name: string;
  role: string;
  grants: string[];
}

export interface SignInState {
  methods: { method: string; name?: string; start_path?: string }[];
  session?: OwnSession;
  session_ended?: true;
}

export function toSession({ id, actor_id, name, role, grants }: OwnSession): Session {
  return { id: actor_id, sessionId: id, name, role, grants };
}

/** Not by the client: what is wrong here is an answer, not the end of a session. */
export async function ask(method: string, path: string, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(path, { method, headers }).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const body: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw problemOf(response.status, body);
  return body;
}
