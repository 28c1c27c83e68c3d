/** A proxy on loopback before a control plane, which looks at every request and may hold it up. */
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** @param look Called before a request goes on; one whose sender is gone by then does not. */
export async function proxyBefore(url: string, look: (request: IncomingMessage) => Promise<void> | void) {
  const server = createServer(async (request, response) => {
    await look(request);
    if (request.socket.destroyed) return;
    const { method, headers } = request;
    const onward = send(`${url}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
