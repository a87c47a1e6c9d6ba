/** The public API, as any client would call it. Throws with the problem when a call is refused. */
export interface ApiClient {
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
}

// biome-ignore lint/suspicious/noExplicitAny: a plain client reads what the documentation promises
type Answer = any;

export function createApiClient(url: string, token: string): ApiClient {
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/v3/openmeter${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return { get: (path) => call('GET', path), post: (path, body) => call('POST', path, body) };
}
