import { computed, reactive } from 'vue';
import { useRoute, useRouter } from 'vue-router';

/**
 * What is chosen on a page, kept in its address: a link, a reload and the back button show the same.
 * @param defaults by name; what is chosen so does not stand in the address
 * @param known what can be chosen, for names where not everything can; anything else in the address is the default
 */
export function useAddressState<State extends Record<string, string>>(
  defaults: State,
  known: { readonly [Name in keyof State]?: readonly { value: State[Name] }[] } = {},
): State {
  const route = useRoute();
  const router = useRouter();
  let changes: Record<string, string | undefined> = {};

  function get(name: keyof State & string): string {
    const text = route.query[name];
    const isKnown = known[name]?.some(({ value }) => value === text) ?? true;
    return typeof text === 'string' && isKnown ? text : (defaults[name] ?? '');
  }
  /** Several in one go become one address. */
  function set(name: keyof State & string, text: string): void {
    if (Object.keys(changes).length === 0) {
      queueMicrotask(() => {
        const query = { ...route.query, ...changes };
        changes = {};
        router.replace({ query, hash: route.hash });
      });
    }
    changes[name] = text === defaults[name] ? undefined : text;
  }
  const parts = Object.keys(defaults).map((name) => [
    name,
    computed({ get: () => get(name), set: (text: string) => set(name, text) }),
  ]);
  return reactive(Object.fromEntries(parts)) as State;
}
