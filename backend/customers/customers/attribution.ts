import { READING } from '../../platform/db/locks.ts';
import type { Scope } from '../../platform/scope.ts';
import { customerRepository, type SubjectRow } from './repository.ts';

/** A customer in short. */
export interface CustomerRef {
  id: string;
  key: string;
  name: string;
}

/**
 * Whose usage an event is: the customer's that has the event's subject as its key, else the one's that has it among its
 * subject keys. Always told from the customers as they are now, so that events from before a customer's creation are
 * its own too. Deleted customers own no subject.
 */
export interface Attribution {
  /** The owner of each subject; subjects that nobody owns are absent. */
  findBySubjects(subjects: readonly string[]): Promise<ReadonlyMap<string, CustomerRef>>;
  /**
   * Customers by id, deleted ones included, with the subjects that count as theirs: of key and subject keys, those that
   * no other living customer owns. A deleted customer thus keeps what nobody took over, and no living customer's usage
   * shows up a second time under a deleted one. Unknown ids are absent.
   */
  findByIds(ids: readonly string[]): Promise<ReadonlyMap<string, CustomerRef & { subjects: readonly string[] }>>;
  /** The owner of every owned subject. As large as all keys and subject keys: for figures over all customers only. */
  findAllSubjects(): Promise<ReadonlyMap<string, CustomerRef>>;
}

export function createAttribution(scope: Scope): Attribution {
  return {
    findBySubjects: async (subjects) => ownersBySubject(await customerRepository(scope).livingSubjects(subjects)),
    // One transaction, or a subject that moves between the two reads would belong to both customers or to none.
    findByIds: (ids) => scope.transaction((scope) => findByIds(scope, ids), READING),
    findAllSubjects: async () => ownersBySubject(await customerRepository(scope).allLivingSubjects()),
  };
}

async function findByIds(scope: Scope, ids: readonly string[]) {
  const repository = customerRepository(scope);
  const customers = (await repository.byIds([...new Set(ids)])).map(({ id, key, name, usage_attribution }) => ({
    id,
    key,
    name,
    named: new Set([key, ...(usage_attribution?.subject_keys ?? [])]),
  }));
  const owners = ownersBySubject(await repository.livingSubjects(customers.flatMap(({ named }) => [...named])));
  return new Map(
    customers.map(({ named, ...ref }) => {
      const subjects = [...named].filter((subject) => (owners.get(subject)?.id ?? ref.id) === ref.id);
      return [ref.id, { ...ref, subjects }];
    }),
  );
}

function ownersBySubject(rows: readonly SubjectRow[]): Map<string, CustomerRef> {
  const owners = new Map<string, CustomerRef>();
  // Keys come last, so that a key's owner replaces the owner of an equal subject key.
  for (const isKey of [0, 1]) {
    for (const { subject, is_key, id, key, name } of rows) {
      if (is_key === isKey) owners.set(subject, { id, key, name });
    }
  }
  return owners;
}
