/** What the first process tells a worker. Messages arrive in their order. */
export type ToWorker =
  /** Acknowledged by `opened`. */
  | { readonly kind: 'open'; readonly id: number; readonly configJson: string; readonly startedAtSeconds: number }
  /** Acknowledged by `closed`. */
  | { readonly kind: 'close'; readonly id: number }
  /** Answers `start` and `stop`. The id is undefined when there is no such instance. */
  | { readonly kind: 'answer'; readonly request: number; readonly id?: number }
  /** Comes with a connection of Kong. */
  | { readonly kind: 'serve' };

/** What a worker tells the first process. */
export type ToFirst =
  /** The plugin is loaded. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'opened' | 'closed'; readonly id: number; readonly isDone: boolean }
  /** Kong asked this worker to start an instance, or to close one. */
  | { readonly kind: 'start'; readonly request: number; readonly configJson: string }
  | { readonly kind: 'stop'; readonly request: number; readonly id: number }
  /** A connection that was handed over has ended. */
  | { readonly kind: 'ended' };
