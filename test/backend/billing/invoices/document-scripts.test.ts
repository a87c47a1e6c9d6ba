import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Blob, Face, Font, Buffer as GlyphBuffer, shape } from 'harfbuzzjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FACES } from '../../../../backend/billing/invoice-documents/fonts/faces.ts';
import { createFontLibrary } from '../../../../backend/billing/invoice-documents/fonts/library.ts';
import { isPlain } from '../../../../backend/billing/invoice-documents/text/plain.ts';
import { createTestBackend, type TestBackend, TOKENS } from '../../../support/backend.ts';
import { createCharge, flatCharge } from '../../../support/billing/charges.ts';
import { invoiceNow } from '../../../support/billing/invoices.ts';
import { hasBrowser, launchBrowser } from '../../../support/browser.ts';
import { createCustomer } from '../../../support/customers/customers.ts';
import { NAMES } from './names.ts';
import { glyphsOf, hasPdfReader, textOfPdf, withoutBlanks } from './pdf-reader.ts';

const NOW = '2026-11-21T12:00:00Z';
const LONG_NAME = Object.values(NAMES).join(' ').slice(0, 250);
const NOWHERE = 'Private \ue000 and unassigned \u0378 and \ue000';
let t: TestBackend;
let invoiceId: string;
let pdf: Uint8Array;
let html: string;
beforeAll(async () => {
  t = await createTestBackend();
  const address = { country: 'SA', city: 'الرياض', line1: 'طريق الملك فهد 12' };
  const { id } = await createCustomer(t, 'everyone', { name: NAMES.Arabic, billing_address: address });
  for (const name of [...Object.values(NAMES), LONG_NAME, NOWHERE]) {
    await createCharge(t, id, flatCharge('1234.5', NOW, { name }));
  }
  invoiceId = (await invoiceNow(t, id)).id;
  pdf = await file('pdf');
  html = new TextDecoder().decode(await file('html'));
});
afterAll(() => t.close());

async function file(format: string): Promise<Uint8Array> {
  const path = `/v3/openmeter/billing/invoices/${invoiceId}/document?format=${format}`;
  const answer = await t.app.request(path, { headers: { authorization: `Bearer ${TOKENS.admin}` } });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

test('no glyph of a PDF is the box of its font', () => {
  const glyphs = glyphsOf(pdf);
  expect(glyphs.length).toBeGreaterThan(1000);
  expect(glyphs).not.toContain(0);
});

// Vowels of Thaana stand where that reader looks for them elsewhere; other readers find them.
const READ = Object.entries(NAMES).filter(([script]) => script !== 'Thaana');
test.skipIf(!hasPdfReader)('what a PDF says can be searched and copied (needs pdftotext)', async () => {
  const found = await textOfPdf(pdf);
  const missing = READ.flatMap(([, name]) =>
    name.split(' ').map((word) => withoutBlanks(word.replaceAll(/[()]/g, ''))),
  );
  expect(missing.filter((word) => !found.includes(word))).toEqual([]);
});

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

function glyphsIn(font: Font, characters: readonly string[]): number[] {
  const buffer = new GlyphBuffer();
  buffer.addText(characters.join(''));
  buffer.guessSegmentProperties();
  shape(font, buffer);
  return buffer.getGlyphInfos().map(({ codepoint }) => codepoint);
}

test('a page brings fonts along for whatever not every machine has', () => {
  const fonts = [...html.matchAll(/url\(data:font\/ttf;base64,([^)]+)\)/g)].map(([, data = '']) => {
    return new Font(new Face(new Blob(Buffer.from(data, 'base64'))));
  });
  expect(fonts.length).toBeGreaterThan(20);
  for (const name of Object.values(NAMES)) {
    const needed = [...name].filter((character) => !isPlain(character) && !INVISIBLE.test(character));
    const has = (font: Font, character: string) => font.nominalGlyph(character.codePointAt(0) ?? 0) !== undefined;
    const uncovered = needed.filter((character) => !fonts.some((font) => has(font, character)));
    // Shaping takes letters apart: the parts have to be there too.
    const boxes = fonts.filter((font) =>
      glyphsIn(
        font,
        needed.filter((character) => has(font, character)),
      ).includes(0),
    );
    expect({ name, uncovered, boxes: boxes.length }).toEqual({ name, uncovered: [], boxes: 0 });
    expect(html).toContain(name.replaceAll('"', '&quot;'));
  }
  expect(html.length).toBeLessThan(600_000);
});

test.skipIf(!hasBrowser)('a browser takes these fonts, and runs each name in its own direction', async () => {
  const answer = await t.app.request(`/v3/openmeter/billing/invoices/${invoiceId}/document`, {
    headers: { authorization: `Bearer ${TOKENS.admin}` },
  });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.route('**/*', (route) => route.fulfill({ body: html, headers: Object.fromEntries(answer.headers) }));
    await page.goto('http://documents.test/');
    // As text: the browser's own names are none that TypeScript knows here.
    const failed: string[] = await page.evaluate(`Promise.all([...document.fonts].map((font) =>
      font.load().then(() => '', (error) => font.family + ': ' + error)))`);
    expect(failed.length).toBeGreaterThan(20);
    expect(failed.filter((error) => error !== '')).toEqual([]);
    // The reader's own font first: what comes along is for what that does not have.
    const family: string = await page.evaluate('getComputedStyle(document.body).fontFamily');
    expect(family).toMatch(/^system-ui, d0, .*, sans-serif$/);
    // The number that ends an Arabic name stands left of it, also in a page that runs from left to right.
    const [nameAt = 0, numberAt = 0]: number[] = await page.evaluate(`[[0, 1], [-3, -1]].map(([from, to]) => {
      const name = ${JSON.stringify(NAMES['Arabic'])};
      const text = [...document.querySelectorAll('td bdi')].find((bdi) => bdi.textContent === name).firstChild;
      const range = document.createRange();
      range.setStart(text, (from + name.length) % name.length);
      range.setEnd(text, (to + name.length) % name.length);
      return range.getBoundingClientRect().left;
    })`);
    expect(numberAt).toBeLessThan(nameAt);
  } finally {
    await browser.close();
  }
});

test('a character that no font has is its number, told once and without the text around it', async () => {
  expect(html).toContain('Private [U+E000] and unassigned [U+0378] and [U+E000]');
  if (hasPdfReader) expect(await textOfPdf(pdf)).toContain('Private[U+E000]andunassigned[U+0378]and[U+E000]');
  await file('pdf');
  const warnings = t.logLines.filter((line) => line.includes('U+0378'));
  expect(warnings).toHaveLength(1);
  expect(warnings.join()).not.toContain('Private');
  expect(JSON.parse(warnings[0] ?? '').codePoints).toEqual(['U+E000', 'U+0378']);
});

test('figures have the digits 0 to 9 in every locale, and the same invoice is the same file', async () => {
  // Arabic locales of some countries write ١٬٢٣٤ otherwise.
  expect(html).toMatch(/1,234[.]50/);
  expect(html).not.toMatch(/[\u0660-\u0669]/);
  expect(Buffer.from(await file('pdf')).equals(Buffer.from(pdf))).toBe(true);
});

test("where fonts were left out of an installation, the operator's are asked", () => {
  const folder = mkdtempSync(join(tmpdir(), 'fonts-'));
  const small = FACES.filter(
    ({ name }) => !['chinese-simplified', 'chinese-traditional', 'japanese', 'korean'].includes(name),
  );
  const wish = { languages: ['ko'], isBold: false };
  expect(createFontLibrary(folder, small).chooser(wish)('\uc0bc')).toBeUndefined();
  copyFileSync(FACES.find(({ name }) => name === 'korean')?.path ?? '', join(folder, 'Korean.OTF'));
  writeFileSync(join(folder, 'broken.ttf'), 'no font');
  expect(createFontLibrary(folder, small).chooser(wish)('\uc0bc')?.name).toBe('own-Korean.OTF');
  rmSync(folder, { recursive: true });
});
