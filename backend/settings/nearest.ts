/** What somebody may have meant: the closest of the names, when so few letters differ that it is no other word. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const mostEdits = Math.min(3, Math.ceil(text.length / 3));
  let nearest: string | undefined;
  let fewest = mostEdits + 1;
  for (const name of names) {
    const edits = editDistance(text, name);
    if (edits < fewest) [nearest, fewest] = [name, edits];
  }
  return nearest;
}

/** How many letters have to be put in, left out or replaced (Levenshtein). */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
