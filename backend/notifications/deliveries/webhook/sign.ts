import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** What signs: the part of the secret behind its prefix, as base64. */
function keyOf(secret: string): Buffer {
  return Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
}

/**
 * A signature for each secret, as Standard Webhooks 1.0.0 has it.
 * @returns "v1,…", separated by blanks
 */
export function signatures(secrets: readonly string[], id: string, timestamp: string, payload: string): string {
  return secrets
    .map((secret) => {
      const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${payload}`);
      return `v1,${hmac.digest('base64')}`;
    })
    .join(' ');
}
