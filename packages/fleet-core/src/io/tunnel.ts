/** Requests through a proxy: undici knows how to ask one for a tunnel. */
import { type Dispatcher, ProxyAgent, request as undiciRequest } from 'undici';
import { Body } from './body.js';
import { CONNECT_TIMEOUT_MS, type HttpResponse, type Outgoing } from './exchange.js';

/** Sends requests through the proxy, each on a tunnel of its own where it is to be fresh. */
export function tunnelThrough(proxy: string): (outgoing: Outgoing) => Promise<HttpResponse> {
  const agentOf = (fresh: boolean) => {
    const connect = { timeout: CONNECT_TIMEOUT_MS };
    return new ProxyAgent({
      uri: proxy,
      proxyTls: connect,
      requestTls: connect,
      // The clock port ends every exchange, so undici's own limits, shorter than a fleet-wide roll, are off.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(fresh ? { pipelining: 0 } : {}),
    });
  };
  const [fresh, pooled] = [agentOf(true), agentOf(false)];
  return async (outgoing) => {
    const { url, method, headers, body, end, sent } = outgoing;
    const abort = new AbortController();
    end.onCome((reason) => abort.abort(reason));
    const dispatcher = watched(outgoing.fresh ? fresh : pooled, sent);
    const answer = await undiciRequest(url, {
      method: method as Dispatcher.HttpMethod,
      ...{ headers, body, dispatcher, signal: abort.signal },
    });
    const read = new Body(outgoing);
    for await (const chunk of answer.body as AsyncIterable<Buffer>) read.push(chunk);
    const firsts: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      const first = Array.isArray(value) ? value[0] : value;
      if (first !== undefined) firsts[name] = first;
    }
    return { status: answer.statusCode, headers: firsts, body: read.text };
  };
}

/** Tells when a request begins to leave: through the tunnel, on a connection that stands. */
const watched = (dispatcher: Dispatcher, tell: () => void): Dispatcher =>
  dispatcher.compose(
    (dispatch) => (options, handler) =>
      dispatch(options, {
        onRequestStart(controller, context) {
          tell();
          handler.onRequestStart?.(controller, context);
        },
        onRequestUpgrade: (...about) => handler.onRequestUpgrade?.(...about),
        onResponseStart: (...about) => handler.onResponseStart?.(...about),
        onResponseData: (...about) => handler.onResponseData?.(...about),
        onResponseEnd: (...about) => handler.onResponseEnd?.(...about),
        onResponseError: (...about) => handler.onResponseError?.(...about),
      }),
  );
