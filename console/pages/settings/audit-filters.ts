/** Short name in the page's address → parameter of the API. */
export const AUDIT_FILTERS = {
  actor: 'filter[actor][contains]',
  operation: 'filter[operation_id][contains]',
  type: 'filter[resource_type][contains]',
  resource: 'filter[resource_id]',
  outcome: 'filter[outcome]',
  from: 'filter[time][gte]',
  before: 'filter[time][lt]',
} as const;

/** What the API wants: days become instants, and the list has cursors instead of numbered pages. */
export function auditParameters(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const { 'page[number]': _number, 'page[size]': _size, ...rest } = parameters;
  const filters: Record<string, string> = { ...rest };
  for (const name of [AUDIT_FILTERS.from, AUDIT_FILTERS.before]) {
    const day = filters[name];
    if (day !== undefined && /^\d{4}-\d\d-\d\d$/.test(day)) filters[name] = `${day}T00:00:00Z`;
  }
  return { 'page[size]': '50', ...filters };
}
