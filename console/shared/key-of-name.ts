import { ref } from 'vue';
import { keyOf } from './format.ts';

/**
 * A form's key that follows its name until one writes the key oneself.
 * @param form whose name and key they are
 * @param derive makes a key of a name
 */
export function useKeyOfName(form: { name: string; key: string }, derive: (name: string) => string = keyOf) {
  const isKeyOwn = ref(false);
  return {
    isKeyOwn,
    nameChanged(name: string) {
      form.name = name;
      if (!isKeyOwn.value) form.key = derive(name);
    },
  };
}
