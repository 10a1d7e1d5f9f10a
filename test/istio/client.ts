/** Calls from outside through the gateway, and from the web front through its sidecar. */
import { request } from "node:http";
import { say } from "../tcp.ts";
import { GATEWAY_IP, GATEWAY_PORT, OUTBOUND_PORT } from "./world.ts";

export interface Reply {
  status: number;
  body: string;
}

export interface Sent {
  method?: string;
  path?: string;
  headers?: { [name: string]: string };
  body?: string;
}

const BROWSER = { "user-agent": "Mozilla/5.0", accept: "text/html" };

function send(host: string, port: number, { method = "GET", path = "/", headers = {}, body: content = "" }: Sent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers, agent: false, timeout: 10_000 }, (response) => {
      let body = "";
      response.on("data", (data: Buffer) => {
        body += data.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.end(content);
  });
}

export class Client {
  throughGateway(path: string, headers: { [name: string]: string } = {}, rest: { method?: string; body?: string } = {}): Promise<Reply> {
    const form = rest.body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded", "content-length": String(rest.body.length) };
    return send(GATEWAY_IP, GATEWAY_PORT, { path, headers: { ...BROWSER, host: "shop.example", ...form, ...headers }, ...rest });
  }

  fromWeb(sent: Sent): Promise<Reply> {
    return send("127.0.0.1", OUTBOUND_PORT, { ...sent, headers: { host: "api.shop.svc.cluster.local:8080", ...sent.headers } });
  }

  /** Says something to the database. Gives what it echoed before the connection ended. */
  say(text: string): Promise<string> {
    return say(5432, text);
  }
}
