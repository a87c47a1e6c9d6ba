/** One line or set of bars of a chart. */
export interface ChartSeries {
  label: string;
  points: { at: string; value: number }[];
}
