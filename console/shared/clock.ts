/** Now, in milliseconds since 1970. The one place of the console that reads the machine's clock. */
export function nowMs(): number {
  return Date.now();
}
