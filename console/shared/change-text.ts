/**
 * How a figure stands against the one before it: "+12% against the 30 days before". A picture of the figures, not the
 * figures: only here exact values become floats.
 */
export function changeText(now: string, before: string): string {
  const base = Number.parseFloat(before);
  if (base === 0)
    return Number.parseFloat(now) === 0 ? 'nothing in the 30 days before either' : 'nothing in the 30 days before';
  const change = Math.round((Number.parseFloat(now) / base - 1) * 100);
  return `${change >= 0 ? '+' : '−'}${Math.abs(change).toLocaleString()}% against the 30 days before`;
}
