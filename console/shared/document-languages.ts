/** Languages that documents have words in, named in English. */
export const DOCUMENT_LANGUAGES = [
  { label: 'Not set: English', value: '' as const },
  { label: 'Arabic', value: 'ar' as const },
  { label: 'Chinese', value: 'zh' as const },
  { label: 'Dutch', value: 'nl' as const },
  { label: 'English', value: 'en' as const },
  { label: 'French', value: 'fr' as const },
  { label: 'German', value: 'de' as const },
  { label: 'Hebrew', value: 'he' as const },
  { label: 'Hindi', value: 'hi' as const },
  { label: 'Italian', value: 'it' as const },
  { label: 'Japanese', value: 'ja' as const },
  { label: 'Korean', value: 'ko' as const },
  { label: 'Polish', value: 'pl' as const },
  { label: 'Portuguese', value: 'pt' as const },
  { label: 'Spanish', value: 'es' as const },
  { label: 'Thai', value: 'th' as const },
];
