/**
 * A request as a command for a terminal. The token stands there as a variable: a command is pasted into chats.
 * @param path below the host: "/v3/openmeter/meters"
 */
export function curlOf(method: string, path: string, body?: unknown): string {
  const lines = [`curl -X ${method} "${window.location.origin}${path}"`, '-H "Authorization: Bearer $TOKEN"'];
  if (body !== undefined) {
    lines.push('-H "Content-Type: application/json"', `--data ${quote(JSON.stringify(body, null, 2))}`);
  }
  return lines.join(' \\\n  ');
}

/** In single quotes of a shell, where only a single quote means something. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
