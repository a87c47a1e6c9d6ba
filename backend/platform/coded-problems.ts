import { type DomainProblem, validationProblem } from './errors.ts';

/** Codes of one module: what each says, and the field that it is usually about. */
export type ProblemTable = Readonly<Record<string, { readonly field: string | undefined; readonly message: string }>>;

/** @param detail what exactly, appended to the code's sentence @returns 400 with the code */
export type CodedProblem<Code extends string> = (
  code: Code,
  detail?: string,
  options?: { field?: string; attributes?: Record<string, unknown> },
) => DomainProblem;

/** Makes the refusals of a table of codes. */
export function codedProblems<Table extends ProblemTable>(table: Table): CodedProblem<Extract<keyof Table, string>> {
  return (code, detail, options = {}) => {
    const { field: usualField, message } = table[code] as ProblemTable[string];
    const field = options.field ?? usualField;
    return validationProblem('bad-request', [
      {
        code,
        ...(field !== undefined && { field }),
        message: detail === undefined ? message : `${message}: ${detail}`,
        severity: 'critical',
        ...(options.attributes !== undefined && { attributes: options.attributes }),
      },
    ]);
  };
}
