import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

/** Builds the console into dist/console, where the backend serves it from. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [vue()],
  build: {
    outDir: fileURLToPath(new URL('../dist/console', import.meta.url)),
    emptyOutDir: true,
    // A data: URL would need a wider content security policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      // Kong's component library does not say so itself, and without it every page loads all of it.
      treeshake: { moduleSideEffects: (id) => !/node_modules\/(@kong|lodash-es|date-fns)\/.*\.m?js$/.test(id) },
    },
  },
  // For work on the console itself: npm run console:dev beside a running backend.
  server: { proxy: { '/v3': 'http://127.0.0.1:8888', '/openapi.json': 'http://127.0.0.1:8888' } },
});
