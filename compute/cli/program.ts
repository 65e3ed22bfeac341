import { Command, CommanderError, InvalidArgumentError } from "commander";
import { VERSION } from "../hosts/version.ts";
import { capabilitiesCommand, validateCommand } from "./inspect.ts";
import { EXIT, type ExitCode, exitCodeOf, explain } from "./problem.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";

const collect = (value: string, before: string[] = []): string[] => [...before, value];
const TOKEN = ["--token <token>", "bearer token for the service (default: NODEFLOW_TOKEN)"] as const;
const SERVER = [
  "--server <url>",
  "a compute service; without it, this process does the work",
  serverUrl,
] as const;

/** Runs the command line. Resolves with the exit code; nothing is thrown. */
export async function main(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  complain: (line: string) => void,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.completed;
  const withToken = <T extends { token?: string }>(options: T): T => {
    const token = options.token ?? environment["NODEFLOW_TOKEN"];
    return token === undefined ? options : { ...options, token };
  };
  const program = new Command("nodeflow")
    .description("Runs workflows: graphs of nodes that stream to each other.")
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeErr: (text) => complain(text.trimEnd()) })
    .showHelpAfterError("(nodeflow --help tells more)");

  program
    .command("run")
    .description("run a workflow and show its progress; off a terminal, print one update a line")
    .argument("<file>", "a workflow or a request, as JSON; - for standard input")
    .option(...SERVER)
    .option("--input <name=value>", "an input: JSON, text, or @FILE (repeatable)", collect)
    .option("--answer <node=json>", "the answer to a tool node's question (repeatable)", collect)
    .option("--checkpoint <file>", "go on from where a run was")
    .option("--save-checkpoint <file>", "save where the run got to, however it ends")
    .option(
      "--output <name=file>",
      "write this result to a file when the run has completed (repeatable)",
      collect,
    )
    .option("--until <node>", "run only this node and what it depends on (repeatable)", collect)
    .option("--from <node>", "run this node and what depends on it again (repeatable)", collect)
    .option("--seed <seed>", "make chance repeatable")
    .option(...TOKEN)
    .option("--json", "print one update a line, also on a terminal")
    .action(async (file, options) => {
      code = await runCommand(file, withToken(options));
    });
  program
    .command("serve")
    .description("start a compute service")
    .option("--port <port>", "default 8787; 0 for any")
    .option("--host <host>", "default 127.0.0.1")
    .action(async (options) => {
      code = await serveCommand(options);
    });
  program
    .command("validate")
    .description("say what is wrong with a workflow, without running it")
    .argument("<file>", "a workflow or a request, as JSON; - for standard input")
    .option(...SERVER)
    .option(...TOKEN)
    .option("--json", "print the answer as JSON")
    .action(async (file, options) => {
      code = await validateCommand(file, withToken(options));
    });
  program
    .command("capabilities")
    .description("say what can be run, and within which limits, as JSON")
    .option(...SERVER)
    .option(...TOKEN)
    .action(async (options) => {
      code = await capabilitiesCommand(withToken(options));
    });

  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // Commander has said what is wrong; asking for help or the version is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.completed : EXIT.usage;
    for (const line of explain(error)) complain(line);
    return exitCodeOf(error);
  }
}

function serverUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("Write it as http://HOST:PORT.");
}
