/** A queue with two ends on a circular array: every operation is O(1), where an array's shift() moves all the rest. */
export interface Ring<T> {
  readonly size: number;
  first(): T | undefined;
  pushBack(value: T): void;
  pushFront(value: T): void;
  takeFirst(): T | undefined;
  /** All values, first to last. */
  values(): T[];
}

const SMALLEST = 16;
/** An emptied ring larger than this is given back: a burst of a million must not hold 8 MB of slots for ever. */
const LARGEST_KEPT = 16_384;

export function createRing<T>(): Ring<T> {
  // Capacity is a power of two, so that wrapping round is a mask.
  let slots: (T | undefined)[] = new Array(SMALLEST);
  let head = 0;
  let size = 0;

  function grow(): void {
    const larger: (T | undefined)[] = new Array(slots.length * 2);
    for (let index = 0; index < size; index++) larger[index] = slots[(head + index) & (slots.length - 1)];
    slots = larger;
    head = 0;
  }

  return {
    get size() {
      return size;
    },
    first: () => slots[head],
    pushBack(value) {
      if (size === slots.length) grow();
      slots[(head + size) & (slots.length - 1)] = value;
      size++;
    },
    pushFront(value) {
      if (size === slots.length) grow();
      head = (head - 1) & (slots.length - 1);
      slots[head] = value;
      size++;
    },
    takeFirst() {
      if (size === 0) return undefined;
      const value = slots[head];
      // Without this the slot keeps the event alive until it is overwritten.
      slots[head] = undefined;
      head = (head + 1) & (slots.length - 1);
      size--;
      if (size === 0 && slots.length > LARGEST_KEPT) {
        slots = new Array(SMALLEST);
        head = 0;
      }
      return value;
    },
    values: () => Array.from({ length: size }, (_, index) => slots[(head + index) & (slots.length - 1)] as T),
  };
}
