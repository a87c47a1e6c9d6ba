import { at } from './json.ts';

/** Whether an object's labels are wanted. */
export type Selector = (labels: unknown) => boolean;

const KEY = String.raw`(?:[a-z0-9.-]{1,253}/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?`;
const VALUE = String.raw`[\w.-]{0,63}`;
const EQUAL = new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`);
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s+\\(([^()]*)\\)$`);
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const ONE_VALUE = new RegExp(`^${VALUE}$`);

/**
 * A label selector in Kubernetes' own notation: `app=web,tier!=test,region in (eu, us),!internal`. It is applied to what has
 * been read: a watch with a selector says that an object was deleted when only its labels have changed.
 * @throws TypeError that says which part is none
 */
export function compileSelector(text: string): Selector {
  const tests = partsOf(text).map(testOf);
  return (labels) => tests.every((test) => test(labels));
}

/** Commas within parentheses separate values, the others requirements. */
function partsOf(text: string): string[] {
  if (text.trim() === '') return [];
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth++;
    if (character === ')') depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

function testOf(part: string): Selector {
  const [, key = '', sign, value] = EQUAL.exec(part) ?? [];
  if (sign !== undefined) {
    return sign === '!=' ? (labels) => at(labels, key) !== value : (labels) => at(labels, key) === value;
  }
  const [, name = '', word, list = ''] = SET.exec(part) ?? [];
  if (word !== undefined) {
    const values = list.split(',').map((one) => one.trim());
    if (!values.every((one) => ONE_VALUE.test(one))) throw new TypeError(`"${part}" is no requirement of a label`);
    const isIn: Selector = (labels) => values.some((one) => at(labels, name) === one);
    return word === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const [, not, only] = EXISTS.exec(part) ?? [];
  if (only === undefined) throw new TypeError(`"${part}" is no requirement of a label`);
  return (labels) => (at(labels, only) === undefined) === (not === '!');
}
