/** Whether this browser has shown an invoice preview: the last of the first steps leaves no trace on the server. */
const STORAGE_KEY = 'metering-and-billing.seen-preview';

export function hasSeenPreview(): boolean {
  return localStorage.getItem(STORAGE_KEY) !== null;
}

export function rememberPreview(): void {
  localStorage.setItem(STORAGE_KEY, 'yes');
}
