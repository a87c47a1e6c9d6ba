/** What a field of a date holds that was typed only half: no date, and not nothing either, so that it is refused. */
export const HALF_TYPED = 'half a date';

/** A moment of UTC that was typed, as the API wants it. What is none goes as it is, so that the server says what is wrong. */
export function instantOf(utc: string): string {
  const at = new Date(`${utc}Z`);
  return Number.isNaN(at.getTime()) ? utc : at.toISOString();
}

/** A moment of the viewer's zone that was typed, as the API wants it; else as `instantOf`. */
export function localInstantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}
