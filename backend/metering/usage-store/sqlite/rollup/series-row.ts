/** A row of rollup_series. */
export interface SeriesRow {
  series: number;
  spec: string;
  event_type: number;
  wide: string;
  back_filled_row: number;
  last_row: number;
  dropped: number;
}
