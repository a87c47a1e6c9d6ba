/** Which resource an operation changes, as far as its path tells. Pure. */

/** Where the path does not tell it. */
export interface ChangeHints {
  /** Type of the resource: the static parts of its path, "billing/invoices". */
  type?: string;
  /** OpenAPI path of the GET that shows it before and after; it has no other parameters than the operation. */
  reads?: string;
}

export interface Operation {
  method: string;
  path: string;
  /** Success answers by status. */
  responses: Readonly<Record<number, unknown>>;
  changes?: ChangeHints | undefined;
}

export interface ChangeTarget {
  type: string;
  /** Path of the GET that shows the resource; undefined when it is made by the operation or cannot be read. */
  reads: string | undefined;
  /** Name of the path parameter that is the resource's id. */
  idParam: string | undefined;
}

/** @param readable paths that have a GET */
export function changeTarget(operation: Operation, readable: ReadonlySet<string>): ChangeTarget {
  const { method, path, changes } = operation;
  const makes = method === 'post' && (operation.responses[201] !== undefined || readable.has(path));
  const reads = changes?.reads ?? (makes ? undefined : readableAbove(path, readable));
  return {
    type: changes?.type ?? typeOf(reads ?? path),
    reads,
    // Of what is made, the answer has the id.
    idParam: makes ? undefined : lastParam(reads ?? path),
  };
}

/** The path itself, or what is left without its last words: "/plans/{planId}/publish" acts on "/plans/{planId}". */
function readableAbove(path: string, readable: ReadonlySet<string>): string | undefined {
  let candidate = path;
  while (!readable.has(candidate)) {
    const end = candidate.lastIndexOf('/');
    // Without its id a path is that of a list.
    if (end <= 0 || candidate.endsWith('}')) return undefined;
    candidate = candidate.slice(0, end);
  }
  return candidate;
}

function typeOf(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && !part.startsWith('{'))
    .join('/');
}

function lastParam(path: string): string | undefined {
  return path
    .match(/\{(\w+)\}/g)
    ?.at(-1)
    ?.slice(1, -1);
}
