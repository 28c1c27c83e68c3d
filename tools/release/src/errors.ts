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

/** The one error of this tool. `message` says what happened, `hint` what to do next. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';

  constructor(
    readonly code: ReleaseErrorCode,
    message: string,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
