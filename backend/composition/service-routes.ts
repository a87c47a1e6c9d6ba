import { stringify } from 'yaml';
import { fixedAnswer } from '../platform/http/fixed-answer.ts';
import { referencePage } from '../platform/http/reference-page.ts';
import { TAG_DESCRIPTIONS } from './document-tags.ts';
import type { App } from './parts.ts';

/**
 * The path under which a request's route is registered. OpenMeter's own clients use /api/v3 where Konnect's use /v3; its
 * collector appends /api/v1/events to whatever base it is given; and senders of events end the path with a slash.
 */
export function pathWithoutAlias(request: Request): string {
  const { pathname } = new URL(request.url);
  if (!/^\/(?:api|v3)\//.test(pathname)) return pathname;
  const path = pathname.endsWith('/events/') ? pathname.slice(0, -1) : pathname;
  const v3 = path.startsWith('/api/v3/') ? path.slice('/api'.length) : path;
  return v3.startsWith(APPENDED) ? v3.slice('/v3/openmeter'.length) : v3;
}

const APPENDED = '/v3/openmeter/api/v1/';

export function documentationRoutes(app: App, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-metering-session',
    description: 'Of browsers: `metering-session` without TLS. See create-session.',
  });
  const document = () =>
    app.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'Metering and Billing for Kong Gateway',
        version,
        description:
          'The operations of Konnect Metering & Billing that this server has, and its own additions. Everything under ' +
          '/v3/openmeter is served under /api/v3/openmeter too.',
        contact: { name: 'Whoever runs this server' },
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: '/', description: 'The server that this document comes from.' }],
      tags: Object.entries(TAG_DESCRIPTIONS).map(([name, description]) => ({ name, description })),
    });
  // Made once: it costs as much as thousands of small requests.
  const answer = fixedAnswer(() => JSON.stringify(document()), { 'Content-Type': 'application/json' });
  const yaml = fixedAnswer(() => stringify(document(), { aliasDuplicateObjects: false }), {
    'Content-Type': 'application/yaml',
  });
  // The second is where OpenMeter's clients look: /api/v3/openapi.json.
  for (const folder of ['', '/v3']) {
    app.get(`${folder}/openapi.json`, answer);
    app.get(`${folder}/openapi.yaml`, yaml);
  }
  referencePage(app, 'Metering and Billing API');
}
