import { systemClock, type Timer } from '../../delivery/clock.ts';

/**
 * A worker is asked every second whether it is alive. One that is silent for five of them hangs: Kong would wait for it
 * for a minute, with a request in the access phase, and with an event that it gives up then in the log phase.
 */
const PING_MS = 1000;
const SILENT_PINGS = 5;

/** Asks a worker whether it is alive, and says when it is not. */
export class Pulse {
  readonly #ping: () => void;
  readonly #onHung: () => void;
  #silentPings = 0;
  #timer: Timer | undefined;

  constructor(ping: () => void, onHung: () => void) {
    this.#ping = ping;
    this.#onHung = onHung;
  }

  begin(): void {
    if (this.#silentPings >= SILENT_PINGS) {
      this.#onHung();
      return;
    }
    this.#silentPings++;
    this.#ping();
    this.#timer = systemClock.setTimer(() => this.begin(), PING_MS, { background: true });
  }

  heard(): void {
    this.#silentPings = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
