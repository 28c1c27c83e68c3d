/** Whether a terminal is there to draw on, and with what. */
import type { Stream } from '../console.js';

/** Somebody sees what is drawn, and it is drawn as it is meant. */
export const canDraw = (stream: Stream): boolean => {
  const { CI, TERM } = process.env;
  return process[stream].isTTY === true && !CI && TERM !== 'dumb' && (process[stream].columns ?? 0) >= 20;
};

/** Signs beyond ASCII need a locale that has them. */
export const isAscii = (): boolean => {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  return process.platform !== 'win32' && !/utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
};
