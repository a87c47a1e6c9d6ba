/** The words of documents, language by language. */
import type { Language } from '../../billing-profiles/index.ts';
import { ar } from './ar.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { he } from './he.ts';
import { hi } from './hi.ts';
import { it } from './it.ts';
import { ja } from './ja.ts';
import { ko } from './ko.ts';
import { nl } from './nl.ts';
import { pl } from './pl.ts';
import { pt } from './pt.ts';
import { th } from './th.ts';
import type { Words } from './words.ts';
import { zh } from './zh.ts';

export type { Words };

const WORDS: Readonly<Record<Language, Words>> = { en, de, fr, es, it, pt, nl, pl, ja, zh, ko, ar, he, hi, th };

export function wordsOf(language: Language): Words {
  return WORDS[language];
}

/** Of a language tag, "pt-BR"; undefined: documents have no words in its language. */
export function languageOf(tag: string): Language | undefined {
  const language = new Intl.Locale(tag).language;
  return (Object.keys(WORDS) as Language[]).find((known) => known === language);
}

/** A text with what stands in braces put in its place. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
