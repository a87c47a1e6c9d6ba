import type { Readable } from 'node:stream';

/** Longest line that is kept together; what is longer comes in pieces. */
const MAX_LINE_LENGTH = 64 * 1024;

/** Calls `onLine` with each line of a stream. Errors are left to whoever listens for them on the stream. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (text.length < MAX_LINE_LENGTH) return;
    onLine(text);
    text = '';
  });
  stream.on('end', () => {
    if (text !== '') onLine(text);
  });
}
