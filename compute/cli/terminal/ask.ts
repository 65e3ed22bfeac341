import { isObject, type Value } from "../../../protocol/index.ts";
import { jsonOrText } from "../assignment.ts";
import { printable } from "../problem.ts";
import { clip } from "./text.ts";

/** What is asked: the fields of `input-requested` that a person needs. */
export interface Question {
  readonly nodeId: string;
  readonly tool: string;
  readonly args: Value;
  readonly schema?: Value;
  readonly rejected?: string;
}

/** What a line that a person typed means: an answer, or why it isn't one. */
export type Reading = { readonly value: Value } | { readonly problem: string };

/** The lines before the prompt, and the prompt itself. */
export function wording(
  question: Question,
  width: number,
): { readonly lines: string[]; readonly prompt: string } {
  const { args, schema, tool, nodeId, rejected } = question;
  const lines = rejected === undefined ? [] : [`Not accepted: ${printable(rejected)}`];
  const asked = isObject(args) && typeof args["question"] === "string" ? args["question"] : null;
  lines.push(printable(asked ?? `${tool} (${nodeId})`));
  if (isObject(args)) {
    for (const [name, value] of Object.entries(args)) {
      if (name === "question" && asked !== null) continue;
      lines.push(clip(`  ${printable(name)}: ${printable(written(value))}`, width));
    }
  } else if (args !== null) lines.push(clip(`  ${printable(written(args))}`, width));
  const choices = choicesOf(schema);
  choices?.forEach((choice, i) => {
    lines.push(clip(`  ${i + 1}  ${printable(written(choice))}`, width));
  });
  return { lines, prompt: `${hint(schema, choices)} ` };
}

/** Reads a line as the schema asks. Whether it fits every keyword is for the executor to say. */
export function read(line: string, schema: Value | undefined): Reading {
  const text = line.trim();
  const choices = choicesOf(schema);
  if (choices) return choose(text, choices);
  switch (typeOf(schema)) {
    case "boolean":
      if (/^(y|yes|true)$/i.test(text)) return { value: true };
      if (/^(n|no|false)$/i.test(text)) return { value: false };
      return { problem: "Please answer y or n." };
    case "string":
      return { value: line };
    case "number":
    case "integer": {
      const number = Number(text);
      if (text === "" || !Number.isFinite(number)) return { problem: "Please give a number." };
      return { value: number };
    }
    case "object":
    case "array":
      try {
        return { value: JSON.parse(text) as Value };
      } catch (error) {
        return { problem: `That is not JSON: ${error instanceof Error ? error.message : String(error)}` };
      }
    default:
      return { value: jsonOrText(line) as Value };
  }
}

function choose(text: string, choices: readonly Value[]): Reading {
  const spelled = choices.find((choice) => written(choice) === text);
  if (spelled !== undefined) return { value: spelled };
  const numbered = /^\d{1,4}$/.test(text) ? choices[Number(text) - 1] : undefined;
  return numbered === undefined
    ? { problem: `Please give a number from 1 to ${choices.length}.` }
    : { value: numbered };
}

function choicesOf(schema: Value | undefined): readonly Value[] | null {
  if (!isObject(schema) || !Array.isArray(schema["enum"]) || schema["enum"].length === 0) return null;
  return schema["enum"];
}

function typeOf(schema: Value | undefined): string | null {
  return isObject(schema) && typeof schema["type"] === "string" ? schema["type"] : null;
}

function hint(schema: Value | undefined, choices: readonly Value[] | null): string {
  if (choices) return `[1-${choices.length}]`;
  switch (typeOf(schema)) {
    case "boolean":
      return "[y/n]";
    case "object":
    case "array":
      return "[JSON]";
    case "number":
    case "integer":
      return "[number]";
    default:
      return ">";
  }
}

function written(value: Value): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? `${value.byteLength} bytes` : JSON.stringify(value);
}
