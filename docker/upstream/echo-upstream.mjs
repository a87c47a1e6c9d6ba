// The API behind the example gateway: answers every request with what it received, as JSON.
import { createServer } from 'node:http';

// More than any example sends; without a limit one client could fill the memory.
const MAX_BODY_BYTES = 1_048_576;

const server = createServer(async (request, response) => {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) {
      response.writeHead(413, { connection: 'close' }).end();
      return;
    }
    chunks.push(chunk);
  }
  const { method, url, headers } = request;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify({ method, url, headers, data: Buffer.concat(chunks).toString() }, null, 2)}\n`);
});

server.listen(8080, '0.0.0.0');
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
