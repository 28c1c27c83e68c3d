/** Answers of whatever stands in front of a server, which say nothing about the server behind it. */
import { parseJson } from '../text/json.js';
import type { HttpResponse } from './http.js';

/** A web page where an API should answer. */
export function isWebPage({ headers, body }: Pick<HttpResponse, 'headers' | 'body'>): boolean {
  const html =
    /\bhtml\b/i.test(headers['content-type'] ?? '') || /^\s*<(?:!doctype|html|head|body)/i.test(body);
  return html && parseJson(body) === undefined;
}

/** A web page, or an edge's own refusal: `error code: 1010` as text, `error_code` as JSON. */
export function isProxyPage(answer: Pick<HttpResponse, 'headers' | 'body'>): boolean {
  return isWebPage(answer) || /error.?code\W*10\d\d/i.test(answer.body.slice(0, 2_000));
}
