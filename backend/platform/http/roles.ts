/**
 * Who may do what. The first three roles carry the names that configurations have used from the start; `admin` is what
 * Konnect calls "Metering & Billing Admin".
 */

export const ROLES = ['admin', 'billing_admin', 'viewer', 'ingest', 'enforcement'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a route asks of its caller; 'any' is granted to every valid token. A new route that changes something asks for `write`
 * or, if it is not about billing, `administer`: meters, apps and stored events, access tokens, the audit log.
 */
export type Access = 'read' | 'write' | 'administer' | 'ingest' | 'enforce' | 'any';

interface RoleMeaning {
  /** As people read it. */
  title: string;
  description: string;
  grants: readonly Exclude<Access, 'any'>[];
}

export const ROLE_MEANINGS: Record<Role, RoleMeaning> = {
  admin: {
    title: 'Metering & Billing Admin',
    description: 'Everything.',
    grants: ['read', 'write', 'administer', 'ingest', 'enforce'],
  },
  billing_admin: {
    title: 'Billing Admin',
    description:
      'Reads everything and bills: catalog, customers, subscriptions, entitlements, invoices. Measures nothing.',
    grants: ['read', 'write', 'enforce'],
  },
  viewer: {
    title: 'Viewer',
    description: 'Reads everything but access tokens and the audit log.',
    grants: ['read', 'enforce'],
  },
  ingest: {
    title: 'Ingest',
    description: 'Sends events and sees nothing: for gateways and collectors.',
    grants: ['ingest'],
  },
  enforcement: {
    title: 'Enforcement',
    description: 'Asks what customers are entitled to and sees nothing else: for gateways that enforce it.',
    grants: ['enforce'],
  },
};

/** What people can be who sign in with a browser: who cannot read has nothing to do there. The strongest first. */
export const PEOPLE_ROLES: readonly Role[] = ROLES.filter((role) => includes(role, 'read'));

/** Whether a role includes what a route asks for. */
export function includes(role: Role, access: Access): boolean {
  return access === 'any' || ROLE_MEANINGS[role].grants.includes(access);
}
