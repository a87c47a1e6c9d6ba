/** The part of pdfmake that is used here; the package has no types of its own. */
declare module 'pdfmake' {
  export interface PdfCell {
    text: string;
    style?: string;
    alignment?: 'left' | 'right';
    colSpan?: number;
    margin?: [number, number, number, number];
  }
  export type PdfContent =
    | PdfCell
    | { columns: PdfContent[]; margin?: [number, number, number, number] }
    | { stack: PdfContent[]; width?: string }
    | {
        table: { headerRows: number; widths: string[]; body: PdfCell[][] };
        layout: string;
        margin?: [number, number, number, number];
      };
  export interface PdfDefinition {
    pageSize: string;
    info: { title: string };
    content: PdfContent[];
    styles: Record<string, { fontSize?: number; bold?: boolean; color?: string }>;
    defaultStyle: { fontSize: number };
  }
  export interface PdfMake {
    setFonts(fonts: Record<string, Record<string, string>>): void;
    /** Which addresses documents may load from. */
    setUrlAccessPolicy(isAllowed: (url: string) => boolean): void;
    /** Which files documents may read. */
    setLocalAccessPolicy(isAllowed: (path: string) => boolean): void;
    createPdf(definition: PdfDefinition): { getBuffer(): Promise<Uint8Array> };
  }
  const pdfMake: PdfMake;

  // biome-ignore lint/style/noDefaultExport: the package exports it this way
  export { pdfMake as default };
}

declare module 'pdfmake/fonts/Roboto.js' {
  const fonts: Record<string, Record<string, string>>;

  // biome-ignore lint/style/noDefaultExport: the package exports it this way
  export { fonts as default };
}
