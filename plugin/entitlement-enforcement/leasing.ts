/** A row of the question for leases. Units are decimal text. */
export interface LeaseQuestion {
  readonly turn: number;
  readonly outstanding: string;
  readonly wanted: string;
}

/** What the backend gave. */
export interface GivenLease {
  readonly units: number;
  readonly validForMs: number;
}

/** Enough for so long at the pace of the last moments: what lies with a node is kept from all others. */
const AHEAD_S = 5;
/** Who has just come is given this many requests at once. */
const FIRST_REQUESTS = 5;
/** The pace is not told from less time than that. */
const SHORTEST_MS = 250;
/** What is left of an old pace with each question: it falls slower than it rises. */
const PACE_KEPT = 0.7;
const MOST_UNITS = 1e12;
/** Of a request that may use anything. */
const LEAST = 1;

/**
 * What one node may let through of a customer's credit by itself. Its units are reckoned as `Counting` does it: what the
 * backend had not counted when the last answered question was asked, and all that has been let through since.
 */
export class Lease {
  #units = 0;
  #untilMs = Number.NEGATIVE_INFINITY;
  #turn = 0;
  #admitted = 0;
  #unitsEach = 0;
  #lacking = 0;
  #pace = 0;
  #target = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs of the clock that is never set @returns undefined: nothing may be let through, nor refused */
  units(nowMs: number): number | undefined {
    return nowMs < this.#untilMs ? this.#units : undefined;
  }

  /** @param units that it counts for; 0: that is not known */
  admit(units: number): void {
    this.#unitsEach = Math.max(units, LEAST);
    this.#admitted += this.#unitsEach;
  }

  /** A request waits for so much, or was refused for want of it. */
  lack(units: number): void {
    this.#unitsEach = Math.max(units, LEAST);
    this.#lacking += this.#unitsEach;
  }

  /** Units a second, of late. */
  pace(nowMs: number): number {
    const pace = (this.#admitted * 1000) / Math.max(nowMs - this.#askedAtMs, SHORTEST_MS);
    return Math.max(pace, this.#pace * PACE_KEPT);
  }

  /** Whether more should be asked for before all is let through. */
  isLow(uncounted: number, nowMs: number): boolean {
    return (this.units(nowMs) ?? 0) - uncounted < this.#target / 2;
  }

  /** Whether something lies here that nobody uses. */
  isIdle(uncounted: number, nowMs: number): boolean {
    return this.#admitted === 0 && (this.units(nowMs) ?? 0) > uncounted;
  }

  /**
   * To be called when the backend is asked. What is given back is gone from here at once.
   * @param uncounted what is not in the last answer, of which the backend has been told `told` since
   * @param canCount whether this node hears of what it has let through: nothing is asked for else
   */
  ask({
    uncounted,
    told,
    nowMs,
    canCount,
  }: {
    readonly uncounted: number;
    readonly told: number;
    readonly nowMs: number;
    readonly canCount: boolean;
  }): LeaseQuestion {
    this.#pace = this.pace(nowMs);
    const isUsed = this.#admitted > 0 || this.#lacking > 0;
    const least = isUsed ? Math.max(this.#lacking, FIRST_REQUESTS * this.#unitsEach) : 0;
    this.#target = canCount ? Math.min(MOST_UNITS, Math.ceil(Math.max(isUsed ? this.#pace * AHEAD_S : 0, least))) : 0;
    const unspent = Math.max(0, (this.units(nowMs) ?? 0) - uncounted);
    const kept = unspent > 2 * this.#target ? this.#target : unspent;
    this.#units -= unspent - kept;
    this.#admitted = 0;
    this.#lacking = 0;
    this.#askedAtMs = nowMs;
    this.#turn++;
    const outstanding = Math.max(0, uncounted - told) + kept;
    return { turn: this.#turn, outstanding: decimal(outstanding), wanted: decimal(Math.max(0, this.#target - kept)) };
  }

  /** @param askedAtMs when it was asked for: its time runs from there */
  take(given: GivenLease | undefined, askedAtMs: number): void {
    this.#units = given?.units ?? 0;
    this.#untilMs = given === undefined ? Number.NEGATIVE_INFINITY : askedAtMs + given.validForMs;
  }
}

/** Without an exponent, and without the last digits of sums of floats. */
function decimal(units: number): string {
  return String(Math.round(units * 1e6) / 1e6);
}
