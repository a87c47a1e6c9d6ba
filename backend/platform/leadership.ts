/** Which of several backends does what one of them has to do. */
export interface Leadership {
  /** Whether there can be others. */
  readonly hasOthers: boolean;
  /** Whether this one does. It may learn a moment late that it does no more: what is done must bear that another does it too. */
  leads(): boolean;
  /** Is told each time that this backend becomes the one; at once if it is. */
  onLead(begin: () => void): void;
  stop(): Promise<void>;
}

/** There is no other. */
export const ALONE: Leadership = {
  hasOthers: false,
  leads: () => true,
  onLead: (begin) => begin(),
  stop: async () => {},
};
