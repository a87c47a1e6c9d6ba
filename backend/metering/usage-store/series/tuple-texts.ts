/** Values of a series' dimensions in the order of their names; null: a value that is not kept apart from others. */
export type TupleTexts = readonly (string | null)[];
