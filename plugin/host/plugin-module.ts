import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, parse, resolve } from 'node:path';
import { encodeArguments, findCall, type NamedCall, refusalOf } from './pdk.ts';
import { plainError } from './reports.ts';

/** A call that the host makes for the plugin, before the plugin runs. */
export interface PrefetchedCall {
  readonly call: NamedCall;
  readonly encodedArguments: Uint8Array;
}

/** A plugin written for Kong's JavaScript plugin development kit, as its module exports it. */
export interface HostedPlugin {
  readonly name: string;
  readonly version: string | undefined;
  readonly priority: number;
  /** The phases that the class has methods for, under Kong's names. */
  readonly phases: readonly string[];
  /** The schema of the plugin entity, whose one field is the record `config`. */
  readonly schema: object;
  /** What the plugin asks for in each event of a phase, by phase. */
  readonly prefetch: ReadonlyMap<string, readonly PrefetchedCall[]>;
  /**
   * Stores, within the call, whatever the plugin has taken so far; never throws. The host calls it before it answers
   * Kong, so that what Kong has been told of outlives the process. undefined = the plugin stores nothing.
   */
  readonly settle: (() => void) | undefined;
  /** Whether the plugin has more to do than what Kong tells it, so that the host must not pause. Never throws. */
  readonly isBehind: (() => boolean) | undefined;
  /** Another process that served the same socket is gone: what it has not answered may come to this one. Never throws. */
  readonly otherGone: (() => void) | undefined;
  /** Throws whatever the plugin's constructor throws. */
  newInstance(config: unknown): PluginInstance;
}

export interface PluginInstance {
  /** Runs a phase; whatever it returns or throws is the plugin's. */
  run(phase: string, kong: object): unknown;
}

/** The phases that Kong calls in an external plugin. */
const PHASES = ['certificate', 'rewrite', 'log', 'access', 'preread', 'response'];

type PluginClass = new (config: unknown) => object;

/**
 * Loads a plugin module: a file, or a folder as `require` sees it. CommonJS, or an ES module without top-level await.
 * @throws Error that says what is missing, or what the module itself throws
 */
export function loadPlugin(path: string): HostedPlugin {
  const absolutePath = resolve(path);
  const isFolder = statSync(absolutePath, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder === undefined) throw plainError(`there is no plugin at ${absolutePath}`);
  const exports = createRequire(absolutePath)(absolutePath) as Readonly<Record<string, unknown>>;
  const { Name, Version, Priority, Plugin } = exports;
  if (typeof Plugin !== 'function') throw plainError(`${absolutePath} exports no class named Plugin`);
  const pluginClass = Plugin as PluginClass;
  const phases = PHASES.filter((phase) => typeof methodsOf(pluginClass)[phase] === 'function');
  if (phases.length === 0) throw plainError(`the plugin has none of the methods ${PHASES.join(', ')}`);
  const defaultName = isFolder ? basename(absolutePath) : parse(absolutePath).name;
  const name = (typeof Name === 'string' ? Name : defaultName).toLowerCase();
  return {
    name,
    version: typeof Version === 'string' ? Version : undefined,
    priority: typeof Priority === 'number' ? Priority : 0,
    phases,
    schema: schemaOf(name, exports),
    prefetch: readPrefetch(exports['Prefetch'], phases),
    settle: functionOf<void>(exports['settle']),
    isBehind: functionOf<boolean>(exports['isBehind']),
    otherGone: functionOf<void>(exports['otherGone']),
    newInstance: (config) => instanceOf(new pluginClass(config)),
  };
}

/** What Kong can speak to a plugin server. It reads the choice from the description of the plugin. */
export const PROTOCOLS = ['ProtoBuf:1', 'MsgPack:1'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** What Kong's query command reads: one line of JSON that describes the plugin. A bare list stands for MsgPack:1. */
export function describePlugin(plugin: HostedPlugin, protocol: Protocol = 'ProtoBuf:1'): string {
  const { name, version, phases, priority, schema } = plugin;
  const description = { Name: name, Version: version, Phases: phases, Priority: priority, Schema: schema };
  return JSON.stringify(protocol === 'MsgPack:1' ? [description] : { Protocol: protocol, Plugins: [description] });
}

function functionOf<Result>(exported: unknown): (() => Result) | undefined {
  return typeof exported === 'function' ? (exported as () => Result) : undefined;
}

function methodsOf(pluginClass: PluginClass): Readonly<Record<string, unknown>> {
  return pluginClass.prototype as Readonly<Record<string, unknown>>;
}

function instanceOf(instance: object): PluginInstance {
  const methods = instance as Readonly<Record<string, (kong: object) => unknown>>;
  return { run: (phase, kong) => methods[phase]?.(kong) };
}

/**
 * The plugin's fields as the record `config`. `ConfigEntityChecks` are the checks of the record as a whole; kong-pdk's
 * plugin server has no place for them.
 */
function schemaOf(name: string, { Schema, ConfigEntityChecks }: Readonly<Record<string, unknown>>): object {
  const config = {
    type: 'record',
    fields: Array.isArray(Schema) ? (Schema as unknown[]) : [],
    ...(Array.isArray(ConfigEntityChecks) && { entity_checks: ConfigEntityChecks as unknown[] }),
  };
  return { name, fields: [{ config }] };
}

/** Reads `Prefetch = { log: ['kong.log.serialize'] }`. */
function readPrefetch(exported: unknown, phases: readonly string[]): HostedPlugin['prefetch'] {
  const prefetch = new Map<string, readonly PrefetchedCall[]>();
  if (exported === undefined) return prefetch;
  if (typeof exported !== 'object' || exported === null) throw plainError('Prefetch must map phases to lists of calls');
  for (const [phase, names] of Object.entries(exported)) {
    if (!phases.includes(phase))
      throw plainError(`Prefetch names the phase ${phase}, for which the plugin has no method`);
    if (!Array.isArray(names)) throw plainError(`Prefetch.${phase} must be a list of calls`);
    const calls = names.map((callName) => prefetchedCall(String(callName), phase));
    if (calls.length > 0) prefetch.set(phase, calls);
  }
  return prefetch;
}

function prefetchedCall(name: string, phase: string): PrefetchedCall {
  const call = findCall(name);
  if (call === undefined)
    throw plainError(`Prefetch.${phase} names ${name}, which Kong does not offer over ProtoBuf:1`);
  const refusal = refusalOf(call, phase);
  if (refusal !== undefined) throw plainError(`Prefetch.${phase}: ${refusal.message}`);
  if (!call.isAnswered) throw plainError(`Prefetch.${phase} names ${name}, which Kong does not answer`);
  return { call, encodedArguments: encodeArguments(call, []) };
}
