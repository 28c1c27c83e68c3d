declare const PACKAGE_VERSION: string | undefined;

/** Version of this package: it goes into every record that a run leaves behind. */
export const VERSION = typeof PACKAGE_VERSION === 'undefined' ? '0.0.0' : PACKAGE_VERSION;
