/** An operation of the contract that this server does not have. Only its name and its address are facts of the contract. */
export interface UnservedOperation {
  operationId: string;
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI form, relative to the mount point. */
  path: string;
  /** What it would ask of its caller: who may not call it is not told more than that. */
  access: 'read' | 'write';
  /** Half a sentence, for people: why. */
  reason: string;
}

const LLM_PRICES = 'there is no list of what LLM providers charge yet';
const FEATURE_COST = 'what the usage of a feature costs its provider is not computed yet';

const PRICES = '/llm-cost/prices';
const OVERRIDES = '/llm-cost/overrides';

const operation = (
  operationId: string,
  method: UnservedOperation['method'],
  path: string,
  reason: string,
  access: UnservedOperation['access'] = method === 'get' ? 'read' : 'write',
): UnservedOperation => ({ operationId, method, path, access, reason });

/** All of them; docs/operations.md lists them too, and a test holds both against the contract document. */
export const UNSERVED_OPERATIONS: readonly UnservedOperation[] = [
  operation('list-llm-cost-prices', 'get', PRICES, LLM_PRICES),
  operation('get-llm-cost-price', 'get', `${PRICES}/{priceId}`, LLM_PRICES),
  operation('list-llm-cost-overrides', 'get', OVERRIDES, LLM_PRICES),
  operation('create-llm-cost-override', 'post', OVERRIDES, LLM_PRICES),
  operation('delete-llm-cost-override', 'delete', `${OVERRIDES}/{priceId}`, LLM_PRICES),
  operation('query-feature-cost', 'post', '/features/{featureId}/cost/query', FEATURE_COST, 'read'),
];
