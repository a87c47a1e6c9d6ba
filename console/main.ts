import '@kong/kongponents/dist/style.css';
import '@kong/design-tokens/themes/classic-night.css';
import './shell/style.css';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createApp } from 'vue';
import { createQueries } from './api/queries.ts';
import App from './app.vue';
import { createConsoleRouter } from './router.ts';
import { restoreSession } from './session/session.ts';
import { watchUnsaved } from './shared/unsaved.ts';
import { applyTheme } from './shell/theme.ts';
import { registerInnerComponents } from './ui/kong.ts';

applyTheme();
watchUnsaved();
// Else who is signed in would see the sign-in page for a moment. The router comes after: it keeps the address that it finds,
// and what a failed sign-in left in it has been taken out by then.
void restoreSession().then(() => {
  const router = createConsoleRouter();
  const app = createApp(App).use(router).use(VueQueryPlugin, { queryClient: createQueries() });
  registerInnerComponents(app);
  app.mount('#app');
});
