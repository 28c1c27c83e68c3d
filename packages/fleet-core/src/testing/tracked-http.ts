import type { Http } from '../io/http.js';

/** An HTTP port that counts what is under way, so that a hand-stepped clock knows when nothing is. */
export function trackedHttp(http: Http): { http: Http; inFlight: () => number } {
  let count = 0;
  return {
    inFlight: () => count,
    http: async (request) => {
      count++;
      try {
        return await http(request);
      } finally {
        count--;
      }
    },
  };
}
