import type { RuleType } from './rule-types/index.ts';

/** What is told, and where. */
export interface Rule {
  id: string;
  type: RuleType;
  name: string;
  isDisabled: boolean;
  /** One to five, each once. */
  channelIds: readonly string[];
  /** What the type takes besides, as it was sent. */
  settings: Readonly<Record<string, unknown>>;
  labels: Readonly<Record<string, string>> | undefined;
  createdAtMs: number;
  updatedAtMs: number;
  deletedAtMs: number | undefined;
}
