import bidiFactory, { type Bidi } from 'bidi-js';

/** The bidirectional algorithm, UAX #9. The package's types name its factory where none is. */
export const bidi: Bidi = (bidiFactory as unknown as () => Bidi)();
