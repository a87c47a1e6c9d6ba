/** How an object is cut into rows. */
export const SCANNERS = ['auto', 'lines', 'json_documents', 'json_array', 'csv', 'parquet', 'to_the_end'] as const;
export type Scanner = (typeof SCANNERS)[number];
