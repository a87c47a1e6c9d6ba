import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ConfiguredToken } from '../access/access-tokens/index.ts';
import { ROLES } from '../platform/http/roles.ts';

const entrySchema = z
  .strictObject({
    name: z.string().min(1),
    role: z.enum(ROLES, { error: `must be one of ${ROLES.join(', ')}` }),
    token: z.string().min(16, 'must have at least 16 characters').regex(/^\S+$/, 'must not contain blanks').optional(),
    token_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hexadecimal')
      .optional(),
  })
  .refine((entry) => (entry.token === undefined) !== (entry.token_sha256 === undefined), {
    error: 'must have either token or token_sha256',
  });

/** Reads the access tokens of TOKENS_FILE. The problems say what is wrong with the file, never what is in it. */
export function readTokensFile(path: string): { tokens: ConfiguredToken[]; problems: string[] } {
  const refuse = (...problems: string[]) => ({
    tokens: [],
    problems: problems.map((problem) => `TOKENS_FILE ${path}${problem}`),
  });
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // A parser's message may quote the file, and the file holds tokens.
    return refuse(error instanceof SyntaxError ? ' is not JSON' : ' cannot be read');
  }
  const result = z.array(entrySchema).safeParse(content);
  if (!result.success) {
    return refuse(...result.error.issues.map((issue) => ` ${issue.path.join('.')}: ${issue.message}`));
  }
  const tokens = result.data.map(({ name, role, token, token_sha256 }) =>
    token_sha256 === undefined ? { name, role, token: token ?? '' } : { name, role, tokenSha256: token_sha256 },
  );
  return { tokens, problems: [] };
}
