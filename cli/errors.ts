/** An error that is the user's to mend: one clear sentence, no stack trace. */
export class UserError extends Error {
  /** Exit code of the command. */
  readonly code: number;

  constructor(message: string, code = 1) {
    super(message);
    this.code = code;
  }
}

/** Gives the message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
