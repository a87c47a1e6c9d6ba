import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { AppEnv } from './env.ts';
import { fixedAnswer } from './fixed-answer.ts';

const FOLDER = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};
const START = `window.onload = () => SwaggerUIBundle({ url: '/openapi.json', dom_id: '#reference', deepLinking: true, validatorUrl: null });`;
// Nothing is loaded from another host; Swagger UI sets inline styles and draws its icons from data: URLs.
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/** Serves a page at /docs that shows /openapi.json; everything it needs comes from this server. */
export function referencePage(app: OpenAPIHono<AppEnv>, title: string): void {
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
  app.get(
    '/docs',
    fixedAnswer(() => page, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY }),
  );
  app.get(
    '/docs/start.js',
    fixedAnswer(() => START, { 'Content-Type': 'text/javascript; charset=utf-8' }),
  );
  for (const [name, type] of Object.entries(ASSETS)) {
    app.get(
      `/docs/${name}`,
      fixedAnswer(() => readFile(join(FOLDER, name)), { 'Content-Type': type }),
    );
  }
}
