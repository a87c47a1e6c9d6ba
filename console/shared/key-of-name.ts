import transliterate from '@sindresorhus/transliterate';
import { ref } from 'vue';

/**
 * A form's key that follows its name until one writes the key oneself.
 * @param form whose name and key they are
 * @param derive makes a key of a name
 */
export function useKeyOfName(form: { name: string; key: string }, derive: (name: string) => string = keyOf) {
  const isKeyOwn = ref(false);
  return {
    isKeyOwn,
    nameChanged(name: string) {
      form.name = name;
      if (!isKeyOwn.value) form.key = derive(name);
    },
  };
}

/** As long as the API lets keys be. */
const MAX_KEY_LENGTH = 64;

/** A key made of a name, as the API wants keys: "Gebühr für Zürich" → "gebuehr_fuer_zuerich". Empty when no letter can be written so. */
export function keyOf(name: string): string {
  return latinOf(name, '_');
}

/** A customer's key is free text: small letters with hyphens read best, "Acme Inc." → "acme-inc". What has none stays as it is written. */
export function customerKeyOf(name: string): string {
  return latinOf(name, '-') || trimmed(name.toLowerCase().replace(/[\s.,;:]+/g, '-'), '-');
}

function latinOf(name: string, between: string): string {
  const latin = transliterate(name.toLowerCase()).toLowerCase();
  return trimmed(latin.replace(/['’]/g, '').replace(/[^a-z0-9]+/g, between), between);
}

function trimmed(key: string, between: string): string {
  const ends = new RegExp(`^${between}+|${between}+$`, 'g');
  return key.replace(ends, '').slice(0, MAX_KEY_LENGTH).replace(ends, '');
}
