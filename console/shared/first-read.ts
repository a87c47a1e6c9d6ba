import { type Ref, type ShallowRef, shallowRef, watch } from 'vue';

/** What was read first, to fill a form with: a change of somebody else's meanwhile is told, not overwritten. */
export function useFirstRead<Value>(data: Readonly<Ref<Value | undefined>>): Readonly<ShallowRef<Value | undefined>> {
  const read = shallowRef<Value>();
  watch(
    data,
    (value) => {
      read.value ??= value;
    },
    { immediate: true },
  );
  return read;
}
