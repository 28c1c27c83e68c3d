/** Stable codes. Match on these, never on text. */
export type ReleaseErrorCode =
  | 'USAGE'
  | 'DIRTY'
  | 'BRANCH'
  | 'PENDING_CHANGESETS'
  | 'VERSIONS'
  | 'BUNDLE'
  | 'TAG_EXISTS'
  | 'NOT_TAGGED'
  | 'PUSH_REJECTED'
  | 'PACKAGE'
  | 'REGISTRY'
  | 'COMMAND';

/** The one error of this tool. `message` says what happened, `next` what to do about it. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';

  constructor(
    readonly code: ReleaseErrorCode,
    message: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
