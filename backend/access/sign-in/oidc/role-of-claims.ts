import { PEOPLE_ROLES, type Role } from '../../../platform/http/roles.ts';

/** Which role a value of the claim stands for; `*` is everybody whom the provider signs in. */
export type RoleMapping = readonly (readonly [value: string, role: Role])[];

/** Without a mapping, the provider's values are our roles' own names. */
const OWN_NAMES: RoleMapping = PEOPLE_ROLES.map((role) => [role, role] as const);

/**
 * The strongest role that the claims give; undefined when they give none.
 * @param claim its name, or a path of names: "roles", "realm_access.roles", "https://example.com/roles"
 */
export function roleOfClaims(
  claims: Readonly<Record<string, unknown>>,
  claim: string,
  mapping: RoleMapping = OWN_NAMES,
): Role | undefined {
  const values = new Set<unknown>(valuesOf(claims, claim));
  const given = mapping.filter(([value]) => value === '*' || values.has(value)).map(([, role]) => role);
  return PEOPLE_ROLES.find((role) => given.includes(role));
}

/** Whether the claims say anything under the name. */
export function hasClaim(claims: Readonly<Record<string, unknown>>, claim: string): boolean {
  return valuesOf(claims, claim).length > 0;
}

function valuesOf(claims: Readonly<Record<string, unknown>>, claim: string): readonly unknown[] {
  // A name may itself have dots in it, as those that are addresses have.
  const found = Object.hasOwn(claims, claim) ? claims[claim] : claim.split('.').reduce(childOf, claims);
  if (Array.isArray(found)) return found;
  return found === undefined || found === null ? [] : [found];
}

function childOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
