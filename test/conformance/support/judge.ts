import type { TestBackend } from '../../support/backend.ts';
import type { Mutation } from './mutations.ts';
import type { Json } from './schema.ts';

/** Where this server takes what the contract does not allow, or says it in another way. Each has its reason. */
interface Exception {
  operation: RegExp;
  field: RegExp;
  rule: Mutation['rule'];
  wrong: Json;
  reason: string;
}

const EXCEPTIONS: readonly Exception[] = [
  {
    operation: /^(create|update)-(plan|addon|plan-addon)$/,
    field: /(billing_cadence|duration|max_quantity)$/,
    rule: 'type',
    wrong: null,
    reason: 'null says here what leaving it out says: the version before of the same API writes it so',
  },
];

/** The names that the contract gives to rules, by the keyword of the schema that is broken. */
const RULES: Record<Mutation['rule'], readonly string[]> = {
  required: ['required'],
  type: ['type'],
  // What is neither one of a few names nor an instant.
  enum: ['enum', 'is_date_time', 'matches_regex'],
  pattern: ['matches_regex', 'is_label'],
  format: ['matches_regex', 'is_date_time'],
  // Where a pattern says the length too.
  minLength: ['min_length', 'matches_regex', 'is_label'],
  maxLength: ['max_length', 'matches_regex', 'is_label'],
  minimum: ['min'],
  maximum: ['max'],
  minItems: ['min_items'],
  maxItems: ['max_items'],
  maxProperties: ['max_items'],
  additionalProperties: ['unknown_property'],
};

/** Sends a body that the contract does not allow. @returns what is wrong with the answer; undefined when nothing is */
export async function judgeRefusal(
  backend: TestBackend,
  { method, path, operation }: { method: string; path: string; operation: string },
  mutation: Mutation,
): Promise<string | undefined> {
  const { field, rule, wrong, body } = mutation;
  const excepted = (exception: Exception) =>
    exception.operation.test(operation) &&
    exception.field.test(field) &&
    exception.rule === rule &&
    exception.wrong === wrong;
  if (EXCEPTIONS.some(excepted)) return undefined;
  const answer = await backend.request(method, path, { body });
  const named = (answer.json?.invalid_parameters ?? []) as { field: string; rule?: string }[];
  const right = named.some((parameter) => parameter.field === field && RULES[rule].includes(parameter.rule ?? ''));
  // Rules of a service have codes of their own, which stand in the contract's other form of a problem.
  const coded = (answer.json?.extensions?.validationErrors ?? []) as { field?: string }[];
  if (answer.status === 400 && (right || coded.some((error) => error.field === field))) return undefined;
  const said = named.map((parameter) => `${parameter.field} ${parameter.rule}`).join(', ');
  return `${operation}: ${field} ${rule} answered ${answer.status} ${said}`;
}
