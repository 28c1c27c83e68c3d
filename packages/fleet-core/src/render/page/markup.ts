/** Markup as tagged templates: whatever is put into one is escaped, unless it is markup itself. */

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that may stand in a page as it is. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may be put into a template; nothing, where it is null, undefined or false. */
export type Content = Markup | string | number | null | undefined | false | readonly Content[];

/** HTML or SVG. Values belong into content or quoted attributes, nowhere else. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + textOf(values[index - 1]) + part));
}

function textOf(value: Content): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
