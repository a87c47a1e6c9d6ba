import protobuf from 'protobufjs/minimal.js';
import { PDK_CALLS, type PdkCall } from './pdk-calls.ts';

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type Api<Calls> = {
  readonly [Name in keyof Calls & string as Name | Camel<Name>]: Calls[Name] extends PdkCall<infer Args, infer Result>
    ? (...args: Args) => Promise<Result>
    : Api<Calls[Name]>;
};

/** What a plugin's phase is called with. Functions have Kong's names, or the same in camel case. */
export type Kong = Api<typeof PDK_CALLS>;

/** A function of the plugin development kit and its full name, `kong.log.serialize`. */
export interface NamedCall extends PdkCall {
  readonly name: string;
}

/** Carries the calls of one event to Kong. */
export interface PdkCaller {
  call(call: NamedCall, args: readonly unknown[]): Promise<unknown>;
  /** The phase in which the plugin runs, for errors. */
  readonly phase: string;
}

/** An error of the plugin development kit: its message names the call and is free of what was logged. */
export function pdkError(message: string): Error {
  return Object.assign(new Error(message), { name: 'PDKError' });
}

/** Why Kong would not answer a call in this phase; `undefined` when it would. */
export function refusalOf({ name, refusedIn }: NamedCall, phase: string): Error | undefined {
  if (!refusedIn.includes(phase)) return undefined;
  return pdkError(`${name} cannot be called in the ${phase} phase: Kong would never answer it`);
}

/** @throws an error that names the call when its arguments cannot be written */
export function encodeArguments(call: NamedCall, args: readonly unknown[]): Uint8Array {
  const writer = protobuf.Writer.create();
  try {
    call.takes(writer, ...args);
  } catch (error) {
    throw pdkError(`${call.name} was called with wrong arguments: ${error instanceof TypeError ? error.message : ''}`);
  }
  return writer.finish();
}

/** @throws an error that names the call when the answer cannot be read */
export function decodeResult(call: NamedCall, payload: Buffer): unknown {
  try {
    return call.gives(protobuf.Reader.create(payload));
  } catch (error) {
    throw pdkError(`${call.name} was answered with: ${error instanceof Error ? error.message : 'nothing readable'}`);
  }
}

/** The call of this full name, in Kong's spelling or in camel case; `undefined` when Kong does not know it. */
export function findCall(name: string): NamedCall | undefined {
  return callsByName.get(snakeCase(name));
}

/** The object that a plugin's phase gets, whose calls go to `caller`. */
export function createKong(caller: PdkCaller): Kong {
  return carrierOf(kongPrototype, caller) as unknown as Kong;
}

const CALLER = Symbol('caller');

interface Carrier {
  [CALLER]: PdkCaller;
}

type CallTree = { readonly [name: string]: CallTree | PdkCall };

const callsByName = new Map<string, NamedCall>();
const kongPrototype = prototypeOf('kong', PDK_CALLS as unknown as CallTree);

/**
 * One prototype for each group, made once: an event then costs one small object for each group that it touches. Every
 * member is a getter, so that it still knows its event when a plugin takes it out of its group.
 */
function prototypeOf(path: string, tree: CallTree): object {
  const prototype = Object.create(unknownMembers(path)) as object;
  for (const [name, node] of Object.entries(tree)) {
    const memberPath = `${path}.${name}`;
    const get = isCall(node) ? callGetter({ ...node, name: memberPath }) : groupGetter(prototypeOf(memberPath, node));
    for (const spelling of new Set([name, camelCase(name)])) Object.defineProperty(prototype, spelling, { get });
  }
  return prototype;
}

function callGetter(named: NamedCall): (this: Carrier) => unknown {
  callsByName.set(named.name, named);
  return function (this: Carrier) {
    const caller = this[CALLER];
    return (...args: unknown[]) => caller.call(named, args);
  };
}

function groupGetter(prototype: object): (this: Carrier) => object {
  return function (this: Carrier) {
    return carrierOf(prototype, this[CALLER]);
  };
}

function carrierOf(prototype: object, caller: PdkCaller): Carrier {
  const carrier = Object.create(prototype) as Carrier;
  carrier[CALLER] = caller;
  return carrier;
}

/**
 * What stands behind the last prototype: any other name is a function that rejects, since Kong drops the whole event of
 * a call that it does not know. Names that JavaScript itself looks up stay what they are, `then` above all: whatever has
 * one is waited for.
 */
function unknownMembers(path: string): object {
  return new Proxy(Object.create(null) as object, {
    get(_target, name, receiver) {
      if (typeof name === 'symbol' || name === 'then' || name in Object.prototype) {
        return Reflect.get(Object.prototype, name, receiver) as unknown;
      }
      return unknownMember(`${path}.${snakeCase(name)}`, (receiver as Carrier)[CALLER]);
    },
  });
}

function unknownMember(path: string, caller: PdkCaller): unknown {
  return new Proxy(() => undefined, {
    get: (_target, name) =>
      typeof name === 'symbol' || name === 'then' ? undefined : unknownMember(`${path}.${snakeCase(name)}`, caller),
    apply: () =>
      Promise.reject(
        pdkError(`${path} was called in the ${caller.phase} phase, but Kong does not offer it over ProtoBuf:1`),
      ),
  });
}

function isCall(node: CallTree | PdkCall): node is PdkCall {
  return typeof node.takes === 'function';
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
