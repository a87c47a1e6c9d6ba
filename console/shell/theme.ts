import { readonly, ref } from 'vue';

export type Theme = 'light' | 'dark';

const STORAGE_KEY = 'metering-and-billing.theme';
const theme = ref<Theme>(preferred());

function preferred(): Theme {
  const stored = localStorage.getItem(STORAGE_KEY);
  if (stored === 'light' || stored === 'dark') return stored;
  return window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Puts the theme on the page. */
export function applyTheme(): void {
  const root = document.documentElement;
  root.dataset['kuiTheme'] = theme.value === 'dark' ? 'classic-night' : 'classic-day';
  root.style.colorScheme = theme.value;
}

export function useTheme() {
  return {
    theme: readonly(theme),
    toggle() {
      theme.value = theme.value === 'dark' ? 'light' : 'dark';
      localStorage.setItem(STORAGE_KEY, theme.value);
      applyTheme();
    },
  };
}
