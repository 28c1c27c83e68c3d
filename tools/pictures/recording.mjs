/** Screens of a terminal as one SVG that plays them, and stands still for whoever prefers that. */

const WIDTH = 8.4;
const HEIGHT = 18;
const PAD = 16;
const BAR = 34;
const COLOURS = { 31: '#ff8f88', 32: '#63d489', 33: '#f0b45a', 90: '#8b95a1' };
/** How long the last screen stands. */
const LAST_MS = 6_000;

/**
 * @param frames `{at, lines}`: milliseconds since the start, and lines with their colours as a terminal writes them.
 * @param options `command`: what was typed, shown above the screens.
 */
export function recording(frames, { columns, rows, command }) {
  const shown = frames.filter(({ lines }, index) => lines.join('\n') !== frames[index - 1]?.lines.join('\n'));
  const total = (shown.at(-1)?.at ?? 0) + LAST_MS;
  const typed = command.split('\n');
  const width = Math.ceil(columns * WIDTH + 2 * PAD);
  const height = Math.ceil((rows + typed.length) * HEIGHT + 2 * PAD + BAR);
  const part = (ms) => `${((ms / total) * 100).toFixed(2)}%`;
  const rules = shown.map(({ at }, index) => {
    const end = shown[index + 1]?.at ?? total;
    const [from, to] = [part(index === 0 ? 0 : at), part(end)];
    const before = from === '0.00%' ? '' : `0%{visibility:hidden}${from}{visibility:visible}`;
    const after = index === shown.length - 1 ? '100%{visibility:visible}' : `${to},100%{visibility:hidden}`;
    return `@keyframes f${index}{${before || '0%{visibility:visible}'}${after}}.f${index}{animation:f${index} ${Math.round(total)}ms step-end infinite}`;
  });
  const screens = shown.map(
    ({ lines }, index) =>
      `<g class="f f${index}${index === shown.length - 1 ? ' last' : ''}">${screen(lines, typed.length)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal: fleet redeploy rolls twelve tenants, two stay behind, and the verdict is FAILED">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}.f{visibility:hidden}.last{visibility:visible}
@media (prefers-reduced-motion:no-preference){${rules.join('')}}</style>
<rect width="100%" height="100%" rx="10" fill="#0f1318"/><circle cx="20" cy="18" r="5.5" fill="#ff5f57"/><circle cx="38" cy="18" r="5.5" fill="#febc2e"/><circle cx="56" cy="18" r="5.5" fill="#28c840"/>
${typed.map((line, row) => drawn(`${row === 0 ? '$ ' : ''}${line}`, row)[0]).join('')}
${screens.join('\n')}
</svg>
`;
}

const escaped = (text) => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '&gt;');

/** The lines of a screen; a colour lasts from one line to the next, as the terminal tells it. */
function screen(lines, top) {
  let look = '';
  return lines
    .map((line, row) => {
      const [text, after] = drawn(line, row + top, look);
      look = after;
      return text;
    })
    .join('');
}

/**
 * One line, each stretch of one colour at its column, so that no font can shift it.
 *
 * @returns It, and the look that goes on behind it.
 */
function drawn(line, row, before = '') {
  const y = BAR + PAD + row * HEIGHT + 12;
  let [column, look, drawing] = [0, before, ''];
  for (const [index, part] of line.split(/\x1b\[([\d;]*)m/).entries()) {
    if (index % 2) {
      const codes = part.split(';').map(Number);
      const colour = codes.map((code) => COLOURS[code]).find(Boolean);
      if (codes.some((code) => code === 0 || code === 39)) look = '';
      if (colour) look = ` style="fill:${colour}"`;
    } else if (part.trim()) {
      const x = (PAD + column * WIDTH).toFixed(1);
      const length = (part.length * WIDTH).toFixed(1);
      drawing += `<text x="${x}" y="${y}" textLength="${length}"${look}>${escaped(part)}</text>`;
    }
    if (index % 2 === 0) column += part.length;
  }
  return [drawing, look];
}
