/** A table over as many pages as it needs: its head stands on each, and a row stays on one where it can. */
import type { Line, TextStyle } from '../text/lines.ts';
import { linesOf } from '../text/lines.ts';
import type { Canvas } from './canvas.ts';

/** Texts of a cell, each in lines of its own. */
export interface Cell {
  texts: readonly string[];
  isRight?: boolean;
  indent?: number;
  isBold?: boolean;
  /** How many columns it takes; default 1. */
  span?: number;
}

export interface TableStyle {
  regular: TextStyle;
  bold: TextStyle;
  /** The pages' edges, in points. */
  margin: number;
  /** Room for what stands at the foot of each page. */
  footer: number;
}

interface Column {
  left: number;
  width: number;
}

interface Laid {
  lines: readonly Line[];
  cell: Cell;
  column: Column;
}

const GAP = 10;
const ROW_PADDING = 4;
const THIN = 0.5;
/** A column of figures is as wide as the widest of them, but leaves room for what they are of. */
const MAX_FIGURES_WIDTH = 120;

export interface Table {
  head: readonly Cell[];
  /** With a first column that takes the room that is left. */
  rows: readonly (readonly Cell[])[];
  /** Rows that stay together. */
  tail?: readonly (readonly Cell[])[];
  top: number;
}

/** @returns where the table ends */
export function drawTable(canvas: Canvas, { head, rows, tail = [], top }: Table, style: TableStyle): number {
  const columns = columnsOf(canvas.width - 2 * style.margin, [head, ...rows, ...tail], style);
  const bottom = canvas.height - style.margin - style.footer;
  let y = top;
  const rule = (thickness: number) => canvas.rule({ x: style.margin, y }, canvas.width - style.margin, thickness);
  const drawHead = () => {
    const isFirst = y === top;
    const draw = () => {
      y = drawLines(canvas, layRow(head, columns, style), y + ROW_PADDING, style, 'TH') + ROW_PADDING;
    };
    // A head that stands on another page again is for the eyes only.
    if (isFirst) canvas.part('TR', draw);
    else draw();
    rule(2 * THIN);
  };
  const turnPage = () => {
    canvas.addPage();
    y = style.margin;
    drawHead();
  };
  const drawRow = (row: readonly Cell[]) => {
    const cells = layRow(row, columns, style);
    const height = heightOf(cells) + 2 * ROW_PADDING;
    if (y + height > bottom && y > style.margin) turnPage();
    for (const part of partsOf(cells, bottom - y - 2 * ROW_PADDING)) {
      if (part.isFurther) turnPage();
      y = drawLines(canvas, part.cells, y + ROW_PADDING, style, 'TD') + ROW_PADDING;
    }
    rule(THIN);
  };
  canvas.part('Table', () => {
    drawHead();
    for (const row of rows) canvas.part('TR', () => drawRow(row));
    const tailHeight = tail.reduce((sum, row) => sum + heightOf(layRow(row, columns, style)) + 2 * ROW_PADDING, 0);
    if (tail.length > 0 && y + tailHeight > bottom && y > style.margin) turnPage();
    for (const row of tail) canvas.part('TR', () => drawRow(row));
  });
  return y;
}

function columnsOf(whole: number, rows: readonly (readonly Cell[])[], style: TableStyle): Column[] {
  const widths: number[] = (rows[0] ?? []).map(() => 0);
  // Figures are short and many are alike: each is measured once.
  const measured = new Map<string, number>();
  for (const row of rows) {
    let at = -1;
    for (const { texts, isBold, span = 1 } of row) {
      at += span;
      const index = at;
      if (index === 0 || span > 1) continue;
      for (const text of texts) {
        const key = `${isBold} ${text.replaceAll(/\d/g, '0')}`;
        const width = measured.get(key) ?? widest(linesOf(text, undefined, isBold ? style.bold : style.regular));
        measured.set(key, width);
        widths[index] = Math.min(MAX_FIGURES_WIDTH, Math.max(widths[index] ?? 0, width));
      }
    }
  }
  widths[0] = whole - widths.reduce((sum, width) => sum + width + GAP, -GAP);
  let left = style.margin;
  return widths.map((width) => {
    const column = { left, width };
    left += width + GAP;
    return column;
  });
}

function widest(lines: readonly Line[]): number {
  return Math.max(0, ...lines.map(({ width }) => width));
}

function layRow(row: readonly Cell[], columns: readonly Column[], style: TableStyle): Laid[] {
  let at = 0;
  return row.map((cell): Laid => {
    const first = columns[at] ?? { left: 0, width: 0 };
    at += cell.span ?? 1;
    const last = columns[at - 1] ?? first;
    const left = first.left + (cell.indent ?? 0);
    const column = { left, width: last.left + last.width - left };
    const text = cell.isBold ? style.bold : style.regular;
    return { cell, column, lines: cell.texts.flatMap((line) => linesOf(line, column.width + 0.01, text)) };
  });
}

function heightOf(cells: readonly Laid[]): number {
  const heights = cells.map(({ lines }) => lines.reduce((sum, { ascent, descent }) => sum + ascent + descent, 0));
  return Math.max(...heights.map((height, index) => height + dropOf(cells, cells[index]?.lines ?? [])));
}

/** First lines stand on one base line: how far down those begin that are lower than others. */
function dropOf(cells: readonly Laid[], [first]: readonly Line[]): number {
  if (first === undefined) return 0;
  return Math.max(...cells.map(({ lines }) => lines[0]?.ascent ?? 0)) - first.ascent;
}

/** A row that no page can hold in pieces that one can. */
function* partsOf(cells: readonly Laid[], room: number): Generator<{ cells: readonly Laid[]; isFurther: boolean }> {
  if (heightOf(cells) <= room) return yield { cells, isFurther: false };
  let rest = cells;
  for (let isFurther = false; rest.some(({ lines }) => lines.length > 0); isFurther = true) {
    const taken = rest.map(({ lines }) => countWithin(lines, room));
    yield { cells: rest.map((cell, index) => ({ ...cell, lines: cell.lines.slice(0, taken[index]) })), isFurther };
    rest = rest.map((cell, index) => ({ ...cell, lines: cell.lines.slice(taken[index]) }));
  }
}

/** At least one: a line that is higher than a page is cut by it. */
function countWithin(lines: readonly Line[], room: number): number {
  let height = 0;
  const tooFar = lines.findIndex(({ ascent, descent }) => {
    height += ascent + descent;
    return height > room;
  });
  return tooFar === -1 ? lines.length : Math.max(1, tooFar);
}

/** @returns the lowest end */
function drawLines(
  canvas: Canvas,
  cells: readonly Laid[],
  top: number,
  { regular }: TableStyle,
  type: 'TH' | 'TD',
): number {
  for (const { cell, column, lines } of cells) {
    canvas.cell(type, () => {
      let y = top + dropOf(cells, lines);
      for (const line of lines) {
        const x = cell.isRight ? column.left + column.width - line.width : column.left;
        canvas.line(line, { x, top: y, size: regular.size });
        y += line.ascent + line.descent;
      }
    });
  }
  return top + heightOf(cells);
}
