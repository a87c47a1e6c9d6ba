/**
 * Answers a call of the plugin to Kong's plugin development kit. What it throws ends the event loudly: a real Kong never
 * answers some calls, and the plugin would wait for ever.
 */
export type PdkAnswer = (method: string, args: readonly unknown[]) => unknown;

/** How Kong speaks to a plugin server, whatever goes over the wire. Rejects with what the server calls an error. */
export interface PluginServerProtocol {
  /** Resolves with the id of the new instance. */
  startInstance(name: string, config: object): Promise<number>;
  /** Runs one phase of an instance until the plugin is done. */
  handleEvent(instanceId: number, phase: string, answer: PdkAnswer): Promise<void>;
  closeInstance(instanceId: number): Promise<void>;
  /** Closes all connections; calls that wait for an answer fail. */
  close(): void;
}
