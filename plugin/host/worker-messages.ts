import type { ListenerPlace } from './listening.ts';

/** What a worker has to know of an instance to start it, too. */
export interface SharedInstance {
  readonly configJson: string;
  readonly startedAtSeconds: number;
}

/** What a connection has gone through with workers that are gone. */
export interface ConnectionPast {
  /** One of them may have read from it. */
  readonly isUsed: boolean;
  /** A call to start an instance that came over it and was not answered, in base64: the frame without its length. */
  readonly unanswered?: string | undefined;
}

/** What the first process tells a worker. Messages arrive in their order. */
export type ToWorker =
  /** Answered by `done`, like `close`. */
  | ({ readonly kind: 'open'; readonly request: number; readonly id: number } & SharedInstance)
  | { readonly kind: 'close'; readonly request: number; readonly id: number }
  /** Answers `start` and `stop`. Without an id: it failed, or there was no such instance. */
  | { readonly kind: 'answer'; readonly request: number; readonly id?: number }
  /** Another worker is gone: Kong may tell this one what that one had not answered. Comes before its connections. */
  | { readonly kind: 'other-gone' }
  /** Comes with a connection of Kong. */
  | ({ readonly kind: 'serve'; readonly connection: number } & ConnectionPast)
  /**
   * Comes with the listening socket: to give copies of it, and for the time after the first process, should that be killed.
   * Without a place, whoever made the socket looks after it.
   */
  | { readonly kind: 'listener'; readonly place?: ListenerPlace | undefined }
  /** Answered by `copy`. */
  | { readonly kind: 'copy'; readonly request: number }
  /** Another server has taken the socket's path: connections are closed, each in place of its next event. */
  | { readonly kind: 'retire' }
  /** Answered by `pong`, by whoever is alive. */
  | { readonly kind: 'ping' };

/** What a worker tells the first process. */
export type ToFirst =
  /** The plugin is loaded. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly request: number; readonly isDone: boolean }
  /** Kong asked this worker to start an instance, or to close one. */
  | { readonly kind: 'start'; readonly request: number; readonly configJson: string }
  | { readonly kind: 'stop'; readonly request: number; readonly id: number }
  /** A connection that was handed over is there, and may be read from. */
  | { readonly kind: 'arrived'; readonly connection: number }
  /** Kong has asked over a connection to start an instance, and waits: should this worker die, another is to answer. */
  | { readonly kind: 'asked'; readonly connection: number; readonly call: string }
  /** It has been answered. */
  | { readonly kind: 'answered'; readonly connection: number }
  /** Comes with a copy of the listening socket. */
  | { readonly kind: 'copy'; readonly request: number }
  /** A connection that was handed over has ended. */
  | { readonly kind: 'ended'; readonly connection: number }
  | { readonly kind: 'pong' };
