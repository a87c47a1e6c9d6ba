/** One line or set of bars of a chart. */
export interface ChartSeries {
  label: string;
  /** Null where there is no figure. */
  points: { at: string; value: number | null }[];
  /** Of the whole range, beside the label. */
  figure?: string | undefined;
  /** What is left beside the others: drawn as such. */
  isRest?: boolean;
}
