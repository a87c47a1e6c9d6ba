import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';

/** Poppler's reader, which knows nothing of how the files are made; the tests that need it are skipped without it. */
export const hasPdfReader = spawnSync('pdftotext', ['-v']).status === 0;

/** What a reader finds in a file, in Unicode's composed form, without blanks and marks of direction. */
export async function textOfPdf(file: Uint8Array): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pdf-'));
  try {
    const path = join(folder, 'document.pdf');
    writeFileSync(path, file);
    const { stdout } = await promisify(execFile)('pdftotext', ['-raw', path, '-'], { maxBuffer: 67_108_864 });
    return withoutBlanks(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function withoutBlanks(text: string): string {
  return text.normalize('NFC').replaceAll(/[\s\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** The numbers of all glyphs that a file shows; 0 is the box for what a font does not have. */
export function glyphsOf(file: Uint8Array): number[] {
  const bytes = Buffer.from(file);
  const glyphs: number[] = [];
  for (let at = bytes.indexOf('stream\n'); at !== -1; at = bytes.indexOf('stream\n', at + 1)) {
    if (bytes.subarray(at - 3, at).toString('latin1') === 'end') continue;
    const content = inflated(bytes.subarray(at + 7, bytes.indexOf('endstream', at)));
    for (const [, shown = ''] of content.matchAll(/\[([^\]]*)\] TJ/g)) {
      for (const [, hex = ''] of shown.matchAll(/<([0-9a-f]{4})>/g)) glyphs.push(Number.parseInt(hex, 16));
    }
  }
  return glyphs;
}

function inflated(stream: Uint8Array): string {
  try {
    return inflateSync(stream).toString('latin1');
  } catch {
    return '';
  }
}
