/**
 * Secrets of a host, as far as one caller may use them. Where their values are kept is the host's affair; they are never
 * part of a workflow, a value or an update.
 */
export interface Secrets {
  /** Whether there is a secret of this name for this caller. One that is another's is as if it weren't there. */
  has(name: string): boolean;
  /** The value, if it may go to this origin (`https://api.example.org`); else null. */
  reveal(name: string, origin: string): string | null;
}

/** For callers that may use none. */
export const NO_SECRETS: Secrets = { has: () => false, reveal: () => null };
