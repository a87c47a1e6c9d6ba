/** The public client: what `npm pack` in this folder makes a package of. It imports nothing of the project around it. */
export { type Client, type ClientOptions, createClient, type Middleware } from './client.ts';
export type { components, operations, paths } from './generated/schema.ts';
export { itemsOf, type PageQuery } from './pages.ts';
export { ApiProblem, answerOf, type InvalidParameter } from './problem.ts';
