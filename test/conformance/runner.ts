/**
 * Runs tests against Envoy and judges them by what the filter logged between two markers.
 *
 * A marker is a request with a header that a rule of the suite's set-up logs. Requests go one after the
 * other to an Envoy with one worker, so what stands between two markers in the log belongs to one stage.
 */
import { freePort, type RunningEnvoy, startEnvoy, wasmLog } from "../../cli/envoy/envoy.ts";
import type { BaileyEvent, EventMatch } from "../../cli/host/exchange.ts";
import { startBackend } from "./backend.ts";
import { send } from "./client.ts";
import { type Output, requestBytes, type Stage, type Test } from "./suite.ts";

/** The suite's own set-up, rule 900005 of its documentation, and the marker rule. */
const SETUP = [
  `SecRule REQUEST_HEADERS:X-CRS-Test "@rx ^.*$" "id:999999,pass,phase:1,t:none,log,msg:'X-CRS-Test %{MATCHED_VAR}',ctl:ruleRemoveById=1-999999"`,
  `SecAction "id:900005,phase:1,nolog,pass,ctl:ruleEngine=DetectionOnly,setvar:tx.blocking_paranoia_level=4,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,setvar:tx.combined_file_sizes=65535"`,
];

export function pluginConfig(rulesOn: boolean): string {
  return JSON.stringify({
    mode: "detect",
    paranoiaLevel: 4,
    events: { matches: "all", maxValueBytes: 256 },
    host: { holdHeaders: true },
    // switched off: the marker is still logged, nothing else can match
    ...(rulesOn ? { rules: { before: SETUP } } : { crs: false, rules: { before: SETUP.slice(0, 1) } }),
  });
}

export interface Verdict {
  test: Test;
  passed: boolean;
  reason: string;
  /** Rule ids that the filter logged, all stages together. */
  ids: number[];
}

/** One Envoy with the filter, its backend, and its log. */
export class Arena {
  private readonly events: BaileyEvent[] = [];
  private waiting: (() => void) | undefined;
  private markers = 0;
  private envoy!: RunningEnvoy;
  private close!: () => void;

  static async start(wasm: string, rulesOn: boolean): Promise<Arena> {
    const arena = new Arena();
    const { server, port } = await startBackend();
    arena.close = () => server.close();
    arena.envoy = await startEnvoy(
      {
        port: await freePort(),
        adminPort: await freePort(),
        upstream: { host: "127.0.0.1", port },
        wasm,
        config: pluginConfig(rulesOn),
        upgrades: ["CONNECT"],
        chunkedLength: true,
      },
      (line) => arena.onLine(line),
    );
    return arena;
  }

  private onLine(line: string): void {
    const text = wasmLog(line);
    if (!text?.startsWith("{")) return;
    this.events.push(JSON.parse(text) as BaileyEvent);
    this.waiting?.();
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    this.close();
  }

  /** Sends a marker and gives the events since the last one. */
  private async collect(): Promise<EventMatch[]> {
    const name = `marker-${++this.markers}`;
    await send(this.envoy.port, Buffer.from(`GET /marker HTTP/1.1\r\nHost: localhost\r\nX-CRS-Test: ${name}\r\nConnection: close\r\n\r\n`));
    const message = `X-CRS-Test ${name}`;
    const find = (): number => this.events.findIndex((event) => event.bailey.matches.some((match) => match.message === message));
    const deadline = Date.now() + 5000;
    while (find() < 0) {
      if (Date.now() > deadline) throw new Error(`the filter never logged ${name}: is Envoy alive?`);
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
        setTimeout(resolve, 200);
      });
    }
    const seen = this.events.splice(0, find() + 1);
    seen.pop();
    return seen.flatMap((event) => event.bailey.matches);
  }

  async run(test: Test): Promise<Verdict> {
    const ids: number[] = [];
    for (const stage of test.stages) {
      let verdict = await this.runStage(stage, ids);
      if (verdict && stage.output.retry_once) verdict = await this.runStage(stage, ids);
      if (verdict) return { test, passed: false, reason: verdict, ids };
    }
    return { test, passed: true, reason: "", ids };
  }

  /** Runs one stage; gives why it failed, or an empty text. */
  private async runStage(stage: Stage, ids: number[]): Promise<string> {
    await this.collect();
    const reply = await send(this.envoy.port, requestBytes(stage.input), stage.input.method === "HEAD");
    const matches = await this.collect();
    ids.push(...matches.map(({ id }) => Number(id)));
    return judge(stage.output, reply, matches);
  }
}

/** One match in the form of ModSecurity's log, which the tests' patterns are written for. */
function logLine(match: EventMatch): string {
  const variables = match.values.map(({ variable }) => `found within ${variable}`).join(" ");
  // that log has a line for each match, so line ends are escaped
  const data = (match.data ?? "").replace(/\r/g, "\\r").replace(/\n/g, "\\n");
  return `[file "${match.file}"] [line "${match.line}"] [id "${match.id}"] [msg "${match.message}"] [data "${data}"] [${variables}]`;
}

function judge(output: Output, reply: { status: number | undefined; text: string }, matches: EventMatch[]): string {
  const ids = new Set(matches.map(({ id }) => Number(id)));
  const log = matches.map(logLine).join("\n");
  const failures: string[] = [];
  if (output.expect_error !== undefined && output.expect_error !== (reply.status === undefined))
    failures.push(`expect_error ${output.expect_error}, got status ${reply.status}`);
  if (output.status !== undefined && ![output.status].flat().includes(reply.status ?? 0)) failures.push(`status ${reply.status}, expected ${output.status}`);
  if (output.response_contains !== undefined && !reply.text.includes(output.response_contains)) failures.push(`response lacks ${output.response_contains}`);
  for (const id of output.log?.expect_ids ?? []) if (!ids.has(id)) failures.push(`rule ${id} did not match`);
  for (const id of output.log?.no_expect_ids ?? []) if (ids.has(id)) failures.push(`rule ${id} matched`);
  if (output.log?.match_regex !== undefined && !new RegExp(output.log.match_regex).test(log)) failures.push(`log does not match ${output.log.match_regex}`);
  if (output.log?.no_match_regex !== undefined && new RegExp(output.log.no_match_regex).test(log)) failures.push(`log matches ${output.log.no_match_regex}`);
  if (output.log_contains !== undefined && !new RegExp(output.log_contains).test(log)) failures.push(`log lacks ${output.log_contains}`);
  if (output.no_log_contains !== undefined && new RegExp(output.no_log_contains).test(log)) failures.push(`log has ${output.no_log_contains}`);
  return failures.join("; ");
}
