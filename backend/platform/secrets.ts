import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** A secret cannot be read: it was sealed with a key that is not configured any more, or it was changed. */
export class SealedWithoutKey extends Error {}

/**
 * Seals what has to be readable again, such as a key that signs: whoever reads the database or a copy of it reads no
 * secret. Without a key secrets are kept as they are.
 */
export interface SecretBox {
  /** @param place what the secret is for, such as "channel 01H…": sealed text that is moved elsewhere cannot be read */
  seal(place: string, text: string): string;
  /** @throws SealedWithoutKey */
  open(place: string, sealed: string): string;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PLAIN = 'plain:';

/** Whether a text is a key: 32 random bytes as base64. */
export function isSecretsKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text);
}

/** @param keys as `isSecretsKey` takes them; the first one seals, all open, so that a key can be replaced */
export function createSecretBox(keys: readonly string[]): SecretBox {
  const known = keys.map((text) => {
    const key = Buffer.from(text, 'base64');
    return { key, id: createHash('sha256').update(key).digest('hex').slice(0, 8) };
  });
  const [current] = known;
  return {
    seal: (place, text) => {
      if (current === undefined) return PLAIN + text;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, current.key, nonce).setAAD(Buffer.from(place));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1:${current.id}:${nonce.toString('base64')}:${sealed.toString('base64')}`;
    },
    open: (place, sealed) => {
      if (sealed.startsWith(PLAIN)) return sealed.slice(PLAIN.length);
      const [, id = '', nonce = '', text = ''] = sealed.split(':');
      const found = known.find((one) => one.id === id);
      if (found === undefined)
        throw new SealedWithoutKey(`the secret of ${place} was sealed with a key that is not set`);
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv(CIPHER, found.key, Buffer.from(nonce, 'base64'), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
      } catch (error) {
        throw new SealedWithoutKey(`the secret of ${place} is not what was sealed`, { cause: error });
      }
    },
  };
}
