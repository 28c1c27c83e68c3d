interface Plugin {
  name: string;
  setup(build: unknown): void;
}

export const noLocales: Plugin;
export const notices: Plugin;
export const MAIN_FIELDS: string[];
