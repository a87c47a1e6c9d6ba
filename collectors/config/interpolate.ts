/** What a configuration may refer to. */
export interface References {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws Error when it cannot be read */
  readText(file: string): string;
}

export interface Problem {
  /** Where in the configuration: "input.otel_log.address". */
  readonly path: string;
  readonly reason: string;
}

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?\}/g;
/** Their texts are programs, in which `${` may stand for itself. */
const PROGRAMS = new Set(['jsonata', 'mapping']);

/**
 * Puts in what `${VAR}` and `${VAR:default}` refer to, in every text of a configuration that has been parsed: so a secret may
 * have any character. Where VAR is not set and VAR_FILE is, that file's content is taken, without the line break at its end.
 */
export function interpolate(value: unknown, references: References, problems: Problem[], path = ''): unknown {
  if (typeof value === 'string') return interpolateText(value, references, problems, path);
  if (Array.isArray(value)) {
    return value.map((item, index) => interpolate(item, references, problems, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const own = path === '' ? key : `${path}.${key}`;
      return [key, PROGRAMS.has(key) ? item : interpolate(item, references, problems, own)];
    }),
  );
}

function interpolateText(text: string, references: References, problems: Problem[], path: string): string {
  return text.replaceAll(REFERENCE, (_all, name: string, fallback: string | undefined) => {
    try {
      const value = referredBy(name, references) ?? fallback;
      if (value !== undefined) return value;
      problems.push({ path, reason: `the environment has neither ${name} nor ${name}_FILE, and there is no default` });
    } catch {
      problems.push({ path, reason: `the file that ${name}_FILE names cannot be read` });
    }
    return '';
  });
}

function referredBy(name: string, { environment, readText }: References): string | undefined {
  const value = environment[name];
  if (value !== undefined) return value;
  const file = environment[`${name}_FILE`];
  return file === undefined ? undefined : readText(file).replace(/\r?\n$/, '');
}
