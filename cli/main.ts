/** The command line. Each command is a file in commands/; this one only names them and their options. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { UserError } from "./errors.ts";

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65535) throw new InvalidArgumentError("expected a port from 1 to 65535");
  return value;
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
    .description("build build/ngfw.wasm, with CRS compiled in")
    .option("--rules <file...>", "SecLang and data files to compile in after CRS")
    .option("--output <file>", "where to write it")
    .action(async (options) => (await import("./commands/build.ts")).build(options));

  bailey
    .command("compile")
    .description("compile SecLang files into a filter of their own, without CRS unless --crs is given")
    .argument("<file...>", "SecLang files, and data files that they name (*.data)")
    .requiredOption("--output <file>", "wasm file to write")
    .option("--crs", "compile CRS in too, before the files")
    .action(async (files, options) => (await import("./commands/compile.ts")).compile(files, options));

  bailey
    .command("lint")
    .description("check SecLang files or a pluginConfig with the compiler that the filter has")
    .argument("<file...>", "SecLang files (*.conf) and configurations (*.json, *.yaml)")
    .addOption(new Option("--format <format>", "form of the result").choices(["text", "json"]).default("text"))
    .action(async (files, options) => (await import("./commands/lint.ts")).lint(files, options));

  bailey
    .command("explain")
    .description("say which rules match a request, and why, with the wasm that Envoy loads")
    .argument("[file]", "a raw HTTP request, a file with a curl command, or a HAR; - or nothing for standard input")
    .option("--curl <command>", "a curl command, as a browser copies it")
    .option("--config <file>", "pluginConfig as JSON or YAML; enforcing at paranoia level 1 where none is given")
    .option("--rules <file>", "SecLang file that runs after CRS; can be repeated", collect, [])
    .addOption(new Option("--format <format>", "form of the result").choices(["text", "json"]).default("text"))
    .action(async (file, options) => (await import("./commands/explain.ts")).explain(file, options));

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
