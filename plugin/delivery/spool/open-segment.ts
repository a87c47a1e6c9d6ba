import type { SpoolFiles } from './files.ts';
import type { Segment } from './segments.ts';

/** The file of the segment that is being read; no more than one is open. */
export class OpenSegment {
  readonly #files: SpoolFiles;
  readonly #onTrouble: (error: unknown) => void;
  #open: { readonly segment: Segment; readonly file: number } | undefined;

  constructor(files: SpoolFiles, onTrouble: (error: unknown) => void) {
    this.#files = files;
    this.#onTrouble = onTrouble;
  }

  /** @throws Error when it cannot be opened */
  async fileOf(segment: Segment): Promise<number> {
    if (this.#open?.segment === segment) return this.#open.file;
    await this.close();
    const file = await this.#files.openForReading(segment.path);
    this.#open = { segment, file };
    return file;
  }

  async close(): Promise<void> {
    const closing = this.#open;
    this.#open = undefined;
    if (closing !== undefined) await this.#files.close(closing.file).catch(this.#onTrouble);
  }
}
