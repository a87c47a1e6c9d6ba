/** The part of linebreak that is used here; the package has no types of its own. */
declare module 'linebreak' {
  class LineBreaker {
    constructor(text: string);
    /** Where a line may end next, by UAX #14; null after the last. */
    nextBreak(): { position: number; required: boolean } | null;
  }

  // biome-ignore lint/style/noDefaultExport: the package exports it this way
  export { LineBreaker as default };
}
