/** The part of pdfkit that is used here; the package has no types of its own. */
declare module 'pdfkit' {
  /** A font of a document: what is written with it goes into the file. */
  export interface EmbeddedFont {
    id: string;
    ref(): unknown;
    /** @returns the number that a glyph has in this file */
    subset: { includeGlyph(id: number): number };
    font: { getGlyph(id: number): { advanceWidth: number }; unitsPerEm: number };
    /** By number in this file: widths in thousandths of an em, and code points, which copying and searching need. */
    widths: (number | undefined)[];
    unicode: (number[] | undefined)[];
  }
  /** A part of the structure that programs read a document by. */
  export interface StructureElement {
    add(child: StructureElement | StructureContent): this;
    end(): void;
  }
  /** What stands on a page between a mark and its end. */
  export interface StructureContent {
    push(content: StructureContent): void;
  }
  class PDFDocument {
    constructor(options: {
      size: string;
      margin: number;
      font: null;
      pdfVersion: string;
      lang: string;
      tagged: boolean;
      bufferPages: boolean;
      displayTitle: boolean;
      autoFirstPage: boolean;
      info: Record<string, string | Date>;
    });
    page: { width: number; height: number; fonts: Record<string, unknown> };
    _font: EmbeddedFont;
    registerFont(name: string, bytes: Uint8Array): this;
    font(name: string): this;
    addPage(): this;
    bufferedPageRange(): { start: number; count: number };
    switchToPage(index: number): unknown;
    struct(type: string): StructureElement;
    addStructure(element: StructureElement): this;
    markStructureContent(tag: string): StructureContent;
    markContent(tag: string, options: { type: string }): this;
    endMarkedContent(): this;
    openImage(source: Uint8Array): { width: number; height: number };
    image(image: unknown, x: number, y: number, options: { width: number; height: number }): this;
    /** Operators of a page's content; y grows downwards. */
    addContent(operators: string): this;
    on(event: 'data', listener: (chunk: Uint8Array) => void): this;
    on(event: 'end', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    end(): void;
  }

  // biome-ignore lint/style/noDefaultExport: the package exports it this way
  export { PDFDocument as default };
}
