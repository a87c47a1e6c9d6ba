import { expect, test } from 'vitest';
import { textFrom } from '../../../plugin/host/text-bytes.ts';
import { usageOf } from '../../../plugin/metering-and-billing/usage-events.ts';
import { recordings } from '../../gateway-player/index.ts';
import { fc } from '../../support/property.ts';

test.each([
  ['Müller', Buffer.from('Müller')],
  ['M%FCller', Buffer.from('Müller', 'latin1')],
  ['M%E4ller 😀 %FF', Buffer.concat([Buffer.from('M\xe4ller ', 'latin1'), Buffer.from('😀 '), Buffer.from([0xff])])],
  ['%E2%82', Buffer.from([0xe2, 0x82])],
  ['', Buffer.alloc(0)],
])('%s', (text, bytes) => {
  expect(textFrom(bytes)).toBe(text);
});

test('no two byte strings that differ in what is no UTF-8 become one text', () => {
  const names = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x25)));
  fc.assert(
    fc.property(names, names, (a, b) => {
      expect(textFrom(a) === textFrom(b)).toBe(a.equals(b));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(textFrom(Buffer.from(text))).toBe(text);
    }),
  );
});

test('a header in Latin-1 names two customers where there are two, and nobody where its bytes are lost', () => {
  const [{ json = '' } = {}] = recordings();
  const parsed = JSON.parse(json) as { request: { headers: Record<string, string> } };
  parsed.request.headers['x-customer'] = 'THE CUSTOMER';
  const [before = '', after = ''] = JSON.stringify(parsed).split('THE CUSTOMER');
  const entry = (name: Uint8Array) => Buffer.concat([Buffer.from(before), name, Buffer.from(after)]);
  const settings = {
    subject: { source: 'header', field: 'x-customer' },
    meterApiRequests: true,
    meterAiTokenUsage: false,
    attributes: [],
    allowStatusCodes: [],
  } as const;
  const subjectOf = (text: string) => usageOf(settings, text).events[0]?.subject;
  const [umlaut, accent] = [Buffer.from('Müller', 'latin1'), Buffer.from('Méller', 'latin1')];
  expect([subjectOf(textFrom(entry(umlaut))), subjectOf(textFrom(entry(accent)))]).toEqual(['M%FCller', 'M%E9ller']);
  // As a plugin server hands it over that knows UTF-8 only.
  expect(usageOf(settings, entry(umlaut).toString()).drops).toMatchObject([{ reason: 'no_subject' }]);
});
