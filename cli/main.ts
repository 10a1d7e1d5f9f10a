/** The command line. Each command is a file in commands/; this one only names them and their options. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { UserError } from "./errors.ts";

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError("expected a port from 1 to 65535");
  return value;
}

function percentage(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError("expected a percentage above 0, up to 100");
  return value;
}

/** Reads a whole number from `low` on. */
function count(low: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low) throw new InvalidArgumentError(`expected a whole number from ${low} on`);
    return value;
  };
}

/** Reads labels as kubectl has them: `app=web,version=v1`. */
function labels(text: string): { [name: string]: string } {
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const [name = "", value] = pair.split("=");
      if (name === "" || value === undefined) throw new InvalidArgumentError("expected labels as in app=web,version=v1");
      return [name, value];
    }),
  );
}

function format(): Option {
  return new Option("--format <format>", "form of the result").choices(["text", "json"]).default("text");
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

function program(): Command {
  const bailey = new Command("bailey")
    .description("security for a service mesh, from without and within")
    .showHelpAfterError("(--help shows what is possible)")
    .exitOverride();

  bailey
    .command("up")
    .description("set up what is missing and run Envoy with the firewall on 127.0.0.1")
    .option("--port <port>", "port to listen on", port, 8080)
    .option("--upstream <url>", "service to put the firewall in front of; a small demo where none is given")
    .option("--config <file>", "pluginConfig as JSON or YAML")
    .option("--rules <file...>", "SecLang files that run after CRS")
    .option("--detect", "report what would be blocked, and let it pass")
    .action(async (options) => (await import("./commands/up.ts")).up(options));

  bailey
    .command("build")
    .description("build the filters in build/: ngfw.wasm with CRS compiled in, mesh.wasm, mesh-tcp.wasm")
    .option("--rules <file...>", "SecLang and data files to compile in after CRS")
    .option("--output <file>", "build only ngfw.wasm, and write it here")
    .action(async (options) => (await import("./commands/build.ts")).build(options));

  bailey
    .command("compile")
    .description("compile SecLang files into a filter of their own, without CRS unless --crs is given")
    .argument("<file...>", "SecLang files, and data files that they name (*.data)")
    .requiredOption("--output <file>", "wasm file to write")
    .option("--crs", "compile CRS in too, before the files")
    .action(async (files, options) => (await import("./commands/compile.ts")).compile(files, options));

  bailey
    .command("render")
    .description("write the manifests of an intent file, checked by the filters that will read them")
    .argument("[file]", "the intent file", "bailey.yaml")
    .option("--diff", "show what they would change in the cluster instead; exit code 1 if anything")
    .option("--context <name>", "context of the kubeconfig")
    .action(async (file, options) => (await import("./commands/render.ts")).render(file, options));

  bailey
    .command("doctor")
    .description("say of each plugin in a cluster, or in one Envoy, whether it is really loaded, and if not why")
    .option("--admin <address>", "the admin interface of one Envoy, as in 127.0.0.1:15000, instead of a cluster")
    .option("--context <name>", "context of the kubeconfig")
    .option("--pods <count>", "proxies of each plugin to look into", count(1), 3)
    .addOption(format())
    .action(async (options) => (await import("./commands/doctor.ts")).doctor(options));

  bailey
    .command("rollout")
    .description("give plugins in a cluster the images that `bailey push` wrote down, and wait until proxies run them")
    .argument("[plugin...]", "WasmPlugins as name or namespace/name; all of Bailey's where none is given")
    .option("--namespace <name>", "only plugins of this namespace")
    .option("--percent <percent>", "firewall: beside the version that is there, for this percentage of requests", percentage)
    .option("--undo", "back to what was there before")
    .option("--wait <seconds>", "how long to wait for the proxies", count(0), 120)
    .option("--manifests <folder>", "a copy of manifests/, with the images that `bailey push` wrote down")
    .option("--context <name>", "context of the kubeconfig")
    .action(async (names, options) => (await import("./commands/rollout.ts")).rollout(names, options));

  bailey
    .command("quarantine")
    .description("let nobody talk with a workload, by its identity, in the whole mesh; print who is in quarantine")
    .argument("[identity...]", "as in cluster.local/ns/shop/sa/web; only print where none is given")
    .option("--release", "let them out again")
    .option("--isolate", "also cut their pods off from the network, by a NetworkPolicy, for what goes around the mesh")
    .option("--follow <intent>", "read proxies' logs from standard input, and put into quarantine who is refused more often than the intent file says")
    .option("--most <count>", "with --follow: at most so many", count(1), 5)
    .option("--root-namespace <name>", "namespace whose resources are for the whole mesh", "istio-system")
    .option("--manifests <folder>", "a copy of manifests/, with the images that `bailey push` wrote down")
    .option("--context <name>", "context of the kubeconfig")
    .action(async (identities, options) => (await import("./commands/quarantine.ts")).quarantine(identities, options));

  bailey
    .command("push")
    .description("publish the filters as OCI images, and write their checksums where the manifests take them from")
    .argument("<repository>", "as in registry.example/security/bailey; credentials are those of docker login")
    .option("--tag <tag>", "the version where none is given")
    .option("--insecure", "a registry without TLS")
    .option("--manifests <folder>", "a copy of manifests/")
    .action(async (repository, options) => (await import("./commands/push.ts")).push(repository, options));

  bailey
    .command("lint")
    .description("check rules, policies and configurations with the compiler that the filter has")
    .argument("<file...>", "SecLang files (*.conf); configurations and AuthorizationPolicies (*.json, *.yaml)")
    .addOption(format())
    .action(async (files, options) => (await import("./commands/lint.ts")).lint(files, options));

  bailey
    .command("explain")
    .description("say what is decided about a request, and why, with the wasm that Envoy loads")
    .argument("[file]", "a raw HTTP request, a file with a curl command, or a HAR; - or nothing for standard input")
    .option("--curl <command>", "a curl command, as a browser copies it")
    .addOption(format())
    .optionsGroup("What rules say of it:")
    .option("--config <file>", "pluginConfig as JSON or YAML; enforcing at paranoia level 1 where none is given")
    .option("--rules <file>", "SecLang file that runs after CRS; can be repeated", collect, [])
    .optionsGroup("What policies between services say of it:")
    .option("--policy <file...>", "AuthorizationPolicies, or pluginConfig of the mesh filter")
    .option("--from <identity>", "SPIFFE ID of the caller; no certificate where none is given")
    .option("--method <method>", "GET where none is given")
    .option("--path <path>", "path and query; / where none is given")
    .option("--host <host>", "host that is called")
    .option("--header <header>", "header as name: value; can be repeated", collect, [])
    .option("--body <text>", "body of the request")
    .option("--claims <json>", "claims of the caller's verified token")
    .option("--source-ip <ip>", "address that the connection comes from")
    .option("--remote-ip <ip>", "address of the client behind trusted proxies")
    .option("--port <port>", "port that is called", port)
    .option("--sni <name>", "server name of the TLS handshake")
    .option("--time <time>", "when it comes, as in 2026-01-31T12:00:00Z; now where none is given")
    .option("--namespace <name>", "namespace of the workload that is called")
    .option("--labels <labels>", "labels of the workload that is called, as in app=web,version=v1", labels)
    .option("--tcp", "a connection without HTTP")
    .action(async (file, options) => {
      if (options.policy) await (await import("./commands/explain-policy.ts")).explainPolicy(options);
      else await (await import("./commands/explain.ts")).explain(file, options);
    });

  bailey
    .command("exclude")
    .description("propose exclusions for false positives, and try blocked requests again with them")
    .argument("[file]", "a log with events, or what explain takes; - or nothing for standard input")
    .option("--curl <command>", "a curl command, as a browser copies it")
    .option("--config <file>", "pluginConfig as JSON or YAML; enforcing at paranoia level 1 where none is given")
    .action(async (file, options) => (await import("./commands/exclude.ts")).exclude(file, options));

  bailey
    .command("test")
    .description("check a table of requests between services and of what must be decided about each")
    .argument("<file...>", "AuthorizationPolicies, or pluginConfig of the mesh filter; last, the table of cases")
    .option("--namespace <name>", "namespace of the workload that is called, for cases that do not say it")
    .option("--labels <labels>", "labels of that workload, as in app=web,version=v1", labels)
    .option("--tcp", "connections without HTTP")
    .addOption(format())
    .action(async (files, options) => (await import("./commands/test.ts")).test(files, options));

  bailey
    .command("convert")
    .description("make pluginConfig of AuthorizationPolicies for the workloads they select, and back")
    .argument("[file...]", "AuthorizationPolicies, with workloads if there are any; or pluginConfig of the mesh filter")
    .option("--cluster", "read policies and pods with kubectl instead")
    .option("--context <name>", "context of the kubeconfig")
    .option("--namespace <name>", "only this namespace")
    .option("--labels <labels>", "only the workload with these labels, as in app=web,version=v1", labels)
    .option("--service <name>", "service behind the waypoint that the labels are of; can be repeated", collect, [])
    .option("--root-namespace <name>", "namespace whose policies are for the whole mesh", "istio-system")
    .addOption(new Option("--format <format>", "form of the result").choices(["yaml", "json"]).default("yaml"))
    .action(async (files, options) => (await import("./commands/convert.ts")).convert(files, options));

  return bailey;
}

/** Runs the command line; sets the exit code and never throws. */
export async function main(argv: string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
    } else if (error instanceof UserError) {
      process.stderr.write(`bailey: ${error.message}\n`);
      process.exitCode = error.code;
    } else {
      process.stderr.write(`bailey: ${error instanceof Error ? error.message : String(error)}\n`);
      process.stderr.write("this is a defect in Bailey; please report it with the command you ran\n");
      if (process.env.BAILEY_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
      process.exitCode = 70;
    }
  }
}
