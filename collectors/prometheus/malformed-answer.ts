/** The answer is not what the query API answers. */
export class MalformedAnswer extends Error {}
