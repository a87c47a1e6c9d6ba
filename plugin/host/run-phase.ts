import { createKong, type PdkCaller } from './pdk.ts';
import type { PluginInstance } from './plugin-module.ts';
import type { Reports } from './reports.ts';

/** Runs a phase of the plugin, and says so when it is done, whether or not it failed. */
export function runPhase(instance: PluginInstance, caller: PdkCaller, reports: Reports, onDone: () => void): void {
  const fail = (error: unknown): void => {
    reports.pluginFailed(caller.phase, error);
    onDone();
  };
  let result: unknown;
  try {
    result = instance.run(caller.phase, createKong(caller));
  } catch (error) {
    fail(error);
    return;
  }
  Promise.resolve(result).then(onDone, fail);
}
