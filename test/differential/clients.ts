/** Real clients: HTTP and TCP, over mutual TLS, TLS alone, or plaintext. */
import { createSign, type KeyObject } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { Identity } from "../certificates.ts";
import { type Call, type Caller, TOKENS, type Token } from "./cases.ts";

export interface Credentials {
  identities: Map<Caller, Identity>;
  /** Key that tokens are signed with. */
  signer: KeyObject;
}

function tlsOptions({ identities }: Credentials, call: Call): object {
  const identity = identities.get(call.caller);
  return {
    rejectUnauthorized: false,
    ...(call.sni !== undefined && { servername: call.sni }),
    ...(identity && { cert: identity.certificate, key: identity.key }),
  };
}

const tokens = new Map<Token, string>();

/** Gives a signed token (RFC 7519, ES256). */
function token(signer: KeyObject, name: Token): string {
  const known = tokens.get(name);
  if (known !== undefined) return known;
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const content = `${encode({ alg: "ES256", kid: "test" })}.${encode({ ...TOKENS[name], exp: Math.floor(Date.now() / 1000) + 86400 })}`;
  const signature = createSign("SHA256").update(content).sign({ key: signer, dsaEncoding: "ieee-p1363" });
  const signed = `${content}.${signature.toString("base64url")}`;
  tokens.set(name, signed);
  return signed;
}

/** Agents keep connections open: one for each way to call. */
export class Clients {
  private readonly agents = new Map<string, Agent>();
  private readonly credentials: Credentials;

  constructor(credentials: Credentials) {
    this.credentials = credentials;
  }

  private agentFor(call: Call, port: number): Agent {
    const key = [port, call.caller, call.sourceIp, call.destinationIp, call.sni].join();
    const known = this.agents.get(key);
    if (known) return known;
    const options = { keepAlive: true, maxSockets: 4, localAddress: call.sourceIp };
    const agent = call.caller === "plaintext" ? new Agent(options) : new TlsAgent({ ...options, ...tlsOptions(this.credentials, call) });
    this.agents.set(key, agent);
    return agent;
  }

  /** Sends a call with `id` as its `x-case`. Gives the status. */
  send(call: Call, port: number, id: string): Promise<number> {
    const headers: { [name: string]: string | string[] } = { host: call.host, "x-case": id };
    for (const [name, value] of call.headers) headers[name] = [...[headers[name] ?? []].flat(), value];
    if (call.token) headers.authorization = `Bearer ${token(this.credentials.signer, call.token)}`;
    const options = { host: call.destinationIp, port, method: call.method, path: call.path, headers, agent: this.agentFor(call, port) };
    return new Promise((resolve, reject) => {
      const sent = (call.caller === "plaintext" ? httpRequest : httpsRequest)(options, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      });
      sent.on("error", reject);
      sent.end();
    });
  }

  close(): void {
    for (const agent of this.agents.values()) agent.destroy();
    this.agents.clear();
  }

  /** Opens a connection, says something, and waits for an echo. Gives the client's own address, and whether one came. */
  exchange(call: Call, port: number): Promise<{ address: string; allowed: boolean }> {
    return new Promise((resolve, reject) => {
      const options = { host: call.destinationIp, port, localAddress: call.sourceIp };
      const socket: Socket = call.caller === "plaintext" ? connect(options) : tlsConnect({ ...options, ...tlsOptions(this.credentials, call) });
      let address = "";
      let allowed = false;
      socket.once(call.caller === "plaintext" ? "connect" : "secureConnect", () => {
        address = `${socket.localAddress}:${socket.localPort}`;
        socket.write("hello");
      });
      socket.on("data", () => {
        allowed = true;
        socket.end();
      });
      socket.on("error", (error) => {
        if (address === "") reject(error);
      });
      socket.on("close", () => resolve({ address, allowed }));
    });
  }
}
