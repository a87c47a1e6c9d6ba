/** Bodies and queries as Stripe takes them: application/x-www-form-urlencoded with brackets. */

export type FormValue = string | FormObject | FormValue[];
export interface FormObject {
  [name: string]: FormValue;
}

/** "lines[0][amount]=5&expand[]=tax" → { lines: [{ amount: '5' }], expand: ['tax'] } */
export function parseForm(text: string): FormObject {
  const root: FormObject = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.replaceAll(']', '').split('[');
    let at: FormObject = root;
    for (const [index, part] of path.entries()) {
      const key = part === '' ? String(Object.keys(at).length) : part;
      if (index === path.length - 1) at[key] = value;
      else {
        at[key] ??= {};
        at = at[key] as FormObject;
      }
    }
  }
  return toLists(root) as FormObject;
}

function toLists(value: FormValue): FormValue {
  if (typeof value === 'string' || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, toLists(child)] as const);
  const isList = entries.length > 0 && entries.every(([key], index) => key === String(index));
  return isList ? entries.map(([, child]) => child) : Object.fromEntries(entries);
}
