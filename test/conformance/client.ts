/** Sends bytes over a socket of its own and reads one HTTP/1 response. */
import { connect } from "node:net";

export interface Reply {
  /** Status code; undefined if the connection ended without a response. */
  status: number | undefined;
  text: string;
}

const TIMEOUT_MS = 3000;

/** Gives the length of the first response in `bytes` once it is there whole, else undefined. */
function isComplete(bytes: Buffer): boolean {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = bytes.subarray(0, end).toString("latin1");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (status === 204 || status === 304) return true;
  const length = /^content-length:\s*(\d+)/im.exec(head)?.[1];
  if (length !== undefined) return bytes.length >= end + 4 + Number(length);
  if (/^transfer-encoding:\s*chunked/im.test(head)) return bytes.subarray(end).includes("\r\n0\r\n\r\n") || bytes.subarray(end).includes("\r\n\r\n0\r\n\r\n");
  return false;
}

/** Sends `bytes` to a port of 127.0.0.1. Never throws: a connection error is a reply without a status. */
export function send(port: number, bytes: Buffer, head = false): Promise<Reply> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString("latin1");
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
      resolve({ status: status === undefined ? undefined : Number(status), text });
    };
    const timer = setTimeout(finish, TIMEOUT_MS);
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (isComplete(all) || (head && all.includes("\r\n\r\n"))) finish();
    });
    socket.on("end", finish);
    socket.on("error", finish);
  });
}
