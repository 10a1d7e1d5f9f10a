/**
 * The backend that the CRS tests expect: it answers 200 to everything, CONNECT included, and `/reflect` answers
 * as the JSON in the request says (status, headers, body, or encodedBody in base64). Like Apache httpd, for
 * which the suite was written, it answers 400 to a Host that is empty or holds encoded control characters.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

interface Reflection {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  encodedBody?: string;
}

function hasBadHost(request: IncomingMessage): boolean {
  const host = request.headers.host ?? "";
  return host === "" || /%[01][0-9a-f]|%7f/i.test(host);
}

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  if (hasBadHost(request)) {
    response.writeHead(400).end();
    return;
  }
  if (!request.url?.startsWith("/reflect")) {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
    response.end();
    return;
  }
  let wanted: Reflection = {};
  try {
    wanted = JSON.parse(body.toString("utf8")) as Reflection;
  } catch {
    response.writeHead(400).end();
    return;
  }
  const content = wanted.encodedBody === undefined ? Buffer.from(wanted.body ?? "") : Buffer.from(wanted.encodedBody, "base64");
  response.writeHead(wanted.status ?? 200, { "content-type": "text/plain; charset=utf-8", ...wanted.headers });
  response.end(content);
}

/** Starts the backend on a free port of 127.0.0.1. */
export function startBackend(): Promise<{ server: Server; port: number }> {
  const server = createServer({ insecureHTTPParser: true }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => answer(request, response, Buffer.concat(chunks)));
    request.on("error", () => response.destroy());
  });
  server.on("connect", (_request, socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({ server, port: typeof address === "object" && address ? address.port : 0 });
    });
  });
}
