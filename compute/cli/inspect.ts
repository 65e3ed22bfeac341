import process from "node:process";
import { type ExecuteRequest, finish, type Issue, parseRequest } from "../../protocol/index.ts";
import { createClient } from "../client/index.ts";
import { localEngine } from "../hosts/local.ts";
import { readJsonFile } from "./files.ts";
import { localService } from "./local-service.ts";
import { ownMachine } from "./machine.ts";
import { EXIT, type ExitCode, explainIssue, hints, printable } from "./problem.ts";
import { plural } from "./terminal/text.ts";

export interface InspectOptions {
  readonly server?: string;
  readonly token?: string;
  readonly json?: boolean;
}

/** `nodeflow validate FILE`: what is wrong with a workflow, without running it. */
export async function validateCommand(file: string, options: InspectOptions): Promise<ExitCode> {
  const request = finish(parseRequest(await readJsonFile(file)));
  const { valid, issues, notes } = await check(request, options);
  if (options.json) process.stdout.write(`${JSON.stringify({ valid, issues, notes })}\n`);
  else process.stdout.write(`${report(file, issues, notes).map(printable).join("\n")}\n`);
  return valid ? EXIT.completed : EXIT.usage;
}

/** `nodeflow capabilities`: what this process, or a service, can do. As JSON. */
export async function capabilitiesCommand(options: InspectOptions): Promise<ExitCode> {
  await using machine = ownMachine();
  const { server, token } = options;
  const client = server === undefined ? localService(machine) : clientOf(server, token);
  process.stdout.write(`${JSON.stringify(await client.capabilities(), null, 2)}\n`);
  return EXIT.completed;
}

async function check(request: ExecuteRequest, { server, token }: InspectOptions) {
  if (server !== undefined) return await clientOf(server, token).validate(request);
  await using machine = ownMachine();
  const { types, secrets } = machine;
  return await localEngine({ types }).validate(request, { secrets });
}

function clientOf(url: string, token: string | undefined) {
  return createClient({ url, ...(token !== undefined && { token }) });
}

function report(file: string, issues: readonly Issue[], notes: readonly string[]): string[] {
  const head = issues.length === 0 ? `${file} is valid` : `${file}: ${plural(issues.length, "problem")}`;
  return [
    head,
    ...issues.map((issue) => `  ${explainIssue(issue)}`),
    ...hints(issues).map((hint) => `  ${hint}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
}
