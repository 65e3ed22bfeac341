import type { Kind, Value, Workflow, WorkflowEdge, WorkflowNode } from "../../protocol/index.ts";
import type { Prng } from "../support/random.ts";

/** What a random graph may contain. */
export interface GenerateOptions {
  readonly maxNodes: number;
  /** Containers inside containers. */
  readonly depth: number;
  readonly tools: boolean;
  /** Nodes whose failure ends the run. */
  readonly fatal: boolean;
  /** Nothing is told to fail. */
  readonly calm?: boolean;
}

/** An output that later nodes may read. */
interface Port {
  readonly id: string;
  readonly handle: string;
  readonly kind: Kind;
  /** It is taken whatever happens. */
  readonly sure: boolean;
  /** Expressions and templates can't read it: it may contain bytes, or objects without an order. */
  readonly opaque: boolean;
}

interface Made {
  readonly data: Record<string, unknown>;
  readonly outputs: Readonly<Record<string, Kind>>;
  /** Which ports feed which handles, in order of edges. */
  readonly inputs: readonly (readonly [handle: string, port: Port])[];
  readonly sure?: boolean;
  readonly opaque?: boolean;
  readonly policy?: Record<string, unknown>;
  /** It has the data of a test node that can fail, or may fail by itself. */
  readonly fallible?: "told" | "itself";
}

/** A random workflow that is valid: the same for the same state of `random`. */
export function generate(random: Prng, options: GenerateOptions): Workflow {
  const graph = new Graph(random, options);
  const size = random.int(2, options.maxNodes);
  while (graph.nodes.length < size) graph.grow();
  for (let n = random.int(0, 2); n >= 0; n -= 1) graph.output(`result${n}`, random.pick(graph.ports));
  return graph.workflow();
}

/** Expressions that any value without bytes can stand on. Those of `each` keep the mark of what is provisional. */
const EXPRESSIONS = [
  "$length($string($))",
  '{"v": $}',
  "$type($)",
  "[$, $]",
  "$exists(nothing) ? 1 : nothing",
  '$length($string($)) % 5 = 0 ? $error("five") : $string($)',
];
const EACH = ["$", '{"v": $}', "[$]", '$type($) = "number" and $ % 2 = 0 ? nothing : $'];

class Graph {
  readonly nodes: WorkflowNode[] = [];
  readonly edges: WorkflowEdge[] = [];
  readonly ports: Port[] = [];
  readonly #random: Prng;
  readonly #options: GenerateOptions;
  /** Inside a container. */
  readonly #nested: boolean;
  #outputs = 0;

  constructor(random: Prng, options: GenerateOptions, inputs: readonly string[] = []) {
    this.#random = random;
    this.#options = options;
    this.#nested = inputs.length > 0;
    for (const name of inputs) this.#add("input", { data: { name }, outputs: { out: "value" }, inputs: [] });
    if (!this.#nested) this.#source();
  }

  workflow(): Workflow {
    return { nodes: this.#random.shuffle(this.nodes), edges: this.edges };
  }

  grow(): void {
    const random = this.#random;
    const containers = this.#options.depth > 0 ? 1 : 0;
    random.weighted<() => void>([
      [2, () => this.#source()],
      [3, () => this.#relay()],
      [1, () => this.#gather()],
      [2, () => this.#join()],
      [2, () => this.#transform()],
      [1, () => this.#each()],
      [1, () => this.#template()],
      [1, () => this.#delay()],
      [1, () => this.#branch()],
      [1.5, () => this.#merge()],
      [2 * containers, () => this.#map()],
      [containers, () => this.#loop()],
      [containers, () => this.#subflow()],
      [this.#options.tools ? 1.5 : 0, () => this.#tool()],
    ])();
  }

  output(name: string, port: Port): void {
    this.#outputs += 1;
    this.#add("output", { data: { name }, outputs: {}, inputs: [["in", port]] });
  }

  /** Closes a nested graph: usually with one output, which loops need to be there for sure. */
  close(needed: boolean): Workflow {
    const sure = this.ports.filter((port) => port.sure && !port.opaque);
    const clear = this.ports.filter((port) => !port.opaque);
    if (needed || this.#random.chance(0.8)) this.output("result", this.#recent(needed ? sure : clear));
    else if (this.#random.chance(0.5)) {
      this.output("a", this.#random.pick(sure));
      this.output("b", this.#random.pick(sure));
    }
    return this.workflow();
  }

  #add(type: string, made: Made): string {
    const id = `n${this.nodes.length}`;
    const { data, policy, outputs } = this.#misbehave(made);
    this.nodes.push({ id, type, data, ...(policy && { policy }) });
    const handled = policy?.["onError"] !== undefined || policy?.["timeoutMs"] !== undefined;
    const sure = (made.sure ?? true) && !handled && made.inputs.every(([, port]) => port.sure);
    const opaque = made.opaque ?? false;
    for (const [handle, port] of made.inputs) {
      const named = port.handle === "out" && this.#random.chance(0.5) ? {} : { sourceHandle: port.handle };
      this.edges.push({
        source: port.id,
        target: id,
        ...named,
        ...(handle !== "in" && { targetHandle: handle }),
      });
    }
    for (const [handle, kind] of Object.entries(outputs)) {
      this.ports.push({ id, handle, kind, sure, opaque: opaque || kind === "bytes" });
    }
    if (policy?.["onError"] === "route") this.#caught(id);
    return id;
  }

  /** What was routed to `error` is read by its code alone: messages are free. */
  #caught(id: string): void {
    const port: Port = { id, handle: "error", kind: "value", sure: false, opaque: false };
    this.#add("transform", {
      data: { expression: "code" },
      outputs: { out: "value" },
      inputs: [["in", port]],
    });
  }

  /** Failures, and what is to happen then. */
  #misbehave(made: Made): Pick<Made, "data" | "policy" | "outputs"> {
    const random = this.#random;
    const plain = { data: made.data, outputs: made.outputs, ...(made.policy && { policy: made.policy }) };
    if (made.fallible === undefined) return plain;
    const policy: Record<string, unknown> = { ...made.policy };
    const data = { ...made.data };
    const retried = random.chance(0.4);
    const maxAttempts = random.int(2, 4);
    if (retried) {
      policy["retry"] = { maxAttempts, delayMs: random.pick([0, 1, 20]), jitter: random.pick([0, 0.5]) };
    }
    let fails = made.fallible === "itself";
    if (made.fallible === "told" && this.#options.calm !== true && random.chance(0.45)) {
      const recovers = retried && random.chance(0.8);
      if (recovers || this.#options.fatal || random.chance(0.9)) {
        data["failures"] = recovers ? random.int(1, maxAttempts - 1) : 99;
        data["failAfter"] = random.int(0, 4);
        data["fault"] = recovers ? random.pick(["error", "hang"]) : random.pick(["error", "hang", "fatal"]);
        if (data["fault"] === "hang") policy[random.pick(["timeoutMs", "idleTimeoutMs"])] = 5_000;
        fails = !recovers;
      }
    }
    if (fails && !(this.#options.fatal && random.chance(0.3))) Object.assign(policy, this.#onError(made));
    return { data, policy, outputs: made.outputs };
  }

  #onError(made: Made): Record<string, unknown> {
    const choices = ["skip"];
    if (made.outputs["out"] !== undefined) choices.push("default");
    // A container may fail with whichever of its failures comes first, so its code can't be foretold.
    if (made.data["workflow"] === undefined) choices.push("route");
    const onError = this.#random.pick(choices);
    return { onError, ...(onError === "default" && { default: defaultOf(made.outputs["out"] ?? "value") }) };
  }

  #port(accepts: (port: Port) => boolean = () => true): Port {
    return this.#recent(this.ports.filter(accepts));
  }

  /** Recent ports are preferred: graphs become deep, and streams meet again. */
  #recent(ports: readonly Port[]): Port {
    const from = this.#random.chance(0.6) ? ports.slice(-4) : ports;
    if (from.length > 0) return this.#random.pick(from);
    this.#add("constant", {
      data: { value: this.#random.int(0, 99) },
      outputs: { out: "value" },
      inputs: [],
    });
    return this.ports.at(-1) as Port;
  }

  #ports(accepts: (port: Port) => boolean, most: number): Port[] {
    return Array.from({ length: this.#random.int(1, most) }, () => this.#port(accepts));
  }

  #source(): void {
    const random = this.#random;
    const choice = random.weighted([
      [5, "test-source"],
      [1, "range"],
      [1, "constant"],
    ]);
    if (choice === "constant") {
      const value = random.pick<Value>([1, "text", null, [], [1, 2, 3], { a: 1 }, true]);
      this.#add("constant", { data: { value }, outputs: { out: "value" }, inputs: [] });
    } else if (choice === "range") {
      this.#add("range", { data: { to: random.int(-1, 5) }, outputs: { out: "items" }, inputs: [] });
    } else {
      const kind = random.weighted<Kind>([
        [5, "items"],
        [2, "text"],
        [1, "bytes"],
        [1, "value"],
      ]);
      const count = kind === "value" ? random.int(1, 3) : random.int(0, 6);
      const linger = random.chance(0.2) ? { linger: 20 } : {};
      const data = { kind, count, offset: random.int(0, 99), delayMs: this.#pace(), ...linger };
      const ports = this.ports.length > 0 && random.chance(0.4) ? this.#ports(() => true, 2) : [];
      const inputs = ports.map((port) => ["in", port] as const);
      // With all its inputs skipped it is skipped too; with some it counts from elsewhere, and so does the reference.
      this.#add("test-source", { data, outputs: { out: kind }, inputs, fallible: "told" });
    }
  }

  #pace(): number {
    return this.#random.pick([0, 0, 0, 1, 7]);
  }

  #effect(): Record<string, unknown> {
    return this.#random.chance(0.15) ? { effect: "effectful" } : {};
  }

  #relay(): void {
    const random = this.#random;
    const kind = random.weighted<Kind>([
      [4, "items"],
      [1, "text"],
      [1, "bytes"],
    ]);
    const port = this.#port((candidate) => candidate.kind !== "value" || random.chance(0.2));
    const take = random.chance(0.2) ? { take: random.int(0, 3) } : {};
    const data = { kind, offset: random.int(0, 99), delayMs: this.#pace(), ...take, ...this.#effect() };
    const inputs: [string, Port][] = [["in", port]];
    if (random.chance(0.3)) inputs.push(["side", this.#port()]);
    this.#add("test-relay", { data, outputs: { out: kind }, inputs, fallible: "told" });
  }

  #gather(): void {
    const port = this.#port();
    const data = { delayMs: this.#pace(), ...this.#effect() };
    const opaque = port.opaque || port.kind === "bytes";
    this.#add("test-gather", {
      data,
      outputs: { out: "value" },
      inputs: [["in", port]],
      opaque,
      fallible: "told",
    });
  }

  #join(): void {
    const inputs = this.#ports(() => true, 4).map(
      (port, index) => [index === 0 ? "in" : `in${index}`, port] as const,
    );
    const data = { delayMs: this.#pace(), ...this.#effect() };
    this.#add("test-join", { data, outputs: { out: "value" }, inputs, fallible: "told" });
  }

  #transform(): void {
    const inputs = [["in", this.#port((port) => !port.opaque)] as const];
    const expression = this.#random.pick(EXPRESSIONS);
    const itself = expression.includes("$error") ? ({ fallible: "itself" } as const) : {};
    this.#add("transform", { data: { expression }, outputs: { out: "value" }, inputs, ...itself });
  }

  #each(): void {
    const inputs = [["in", this.#port((port) => !port.opaque)] as const];
    const data = { expression: this.#random.pick(EACH), each: true };
    this.#add("transform", { data, outputs: { out: "items" }, inputs });
  }

  #template(): void {
    const inputs = [
      ["in", this.#port((port) => !port.opaque)],
      ["other", this.#port((port) => !port.opaque)],
    ] as const;
    this.#add("template", { data: { text: "<{{in}}|{{other}}>" }, outputs: { out: "text" }, inputs });
  }

  #delay(): void {
    const port = this.#port();
    const data = { ms: this.#random.pick([0, 1, 50]) };
    this.#add("delay", { data, outputs: { out: "value" }, inputs: [["in", port]], opaque: port.opaque });
  }

  #branch(): void {
    const random = this.#random;
    if (random.chance(0.5)) {
      const port = this.#port();
      const data = { modulus: random.int(1, 3), remainder: 0 };
      const outputs = { yes: "value", no: "value" } as const;
      this.#add("test-gate", { data, outputs, inputs: [["in", port]], sure: false, opaque: port.opaque });
      return;
    }
    const port = this.#port((candidate) => !candidate.opaque);
    const cases = [
      { handle: "a", when: "$length($string($)) % 2 = 0" },
      { handle: "b", when: "$length($string($)) % 3 = 0" },
    ];
    const rest = random.chance(0.6);
    const data = { cases, ...(rest && { otherwise: "c" }) };
    const outputs: Record<string, Kind> = { a: "value", b: "value", ...(rest && { c: "value" as const }) };
    this.#add("switch", { data, outputs, inputs: [["in", port]], sure: false });
  }

  #merge(): void {
    const random = this.#random;
    const ports = this.#ports(() => true, 4);
    const inputs = ports.map((port) => ["in", port] as const);
    const opaque = ports.some((port) => port.opaque);
    const listing = random.chance(0.3);
    const data = listing ? {} : { mode: random.pick(["first", "all"]) };
    this.#add(listing ? "test-list" : "merge", { data, outputs: { out: "value" }, inputs, opaque });
  }

  #inside(inputs: readonly string[], needed: boolean): Workflow {
    const random = this.#random;
    const options = { ...this.#options, depth: this.#options.depth - 1 };
    const nested = new Graph(random, options, inputs);
    const size = inputs.length + random.int(1, 4);
    while (nested.nodes.length < size) nested.grow();
    return nested.close(needed);
  }

  #map(): void {
    const random = this.#random;
    const workflow = this.#inside(["item", "index"], false);
    const ordered = random.chance(0.75) ? {} : { ordered: false };
    const concurrency = random.chance(0.5) ? { concurrency: random.int(1, 3) } : {};
    const port = this.#port(
      (candidate) => !candidate.opaque && (candidate.kind === "items" || random.chance(0.3)),
    );
    const data = { workflow, ...ordered, ...concurrency };
    // Items that are made live from an unordered map come in any order: what reads it reads it settled.
    const outputs = { out: "items" } as const;
    const opaque = several(workflow);
    const id = this.#add("map", { data, outputs, inputs: [["in", port]], opaque, fallible: "itself" });
    if (data.ordered === false) this.#settle(id);
  }

  /** Puts a settled reader in the place of a port. */
  #settle(id: string): void {
    const at = this.ports.findIndex((port) => port.id === id);
    const [port] = this.ports.splice(at, 1);
    if (!port) return;
    const { opaque } = port;
    this.#add("test-list", { data: {}, outputs: { out: "value" }, inputs: [["in", port]], opaque });
  }

  #loop(): void {
    const random = this.#random;
    const workflow = this.#inside(["value", "iteration"], true);
    const rounds = random.int(0, 3);
    const fails = random.chance(0.1);
    const data = {
      workflow,
      while: `$iteration < ${rounds}`,
      maxIterations: fails ? Math.max(1, rounds - 1) : 5,
    };
    const port = this.#port((candidate) => !candidate.opaque);
    this.#add("loop", { data, outputs: { out: "value" }, inputs: [["in", port]], fallible: "itself" });
  }

  #subflow(): void {
    const names = this.#random.chance(0.5) ? ["in"] : ["in", "x"];
    const workflow = this.#inside(names, false);
    const inputs = names.map((name) => [name, this.#port((port) => !port.opaque)] as const);
    const named = workflow.nodes.filter((node) => node.type === "output");
    const outputs: Record<string, Kind> = { out: "value" };
    for (const node of named) outputs[String((node.data as { name: string }).name)] = "value";
    const made: Made = {
      data: { workflow },
      outputs,
      inputs,
      sure: false,
      opaque: several(workflow),
      fallible: "itself",
    };
    this.#add("subflow", made);
  }

  #tool(): void {
    const inputs = [["in", this.#port((port) => !port.opaque)] as const];
    this.#add("tool", { data: { tool: "ask" }, outputs: { out: "value" }, inputs });
  }
}

/** Its result is an object of several outputs, whose members come in any order: nothing may print it. */
function several(workflow: Workflow): boolean {
  return workflow.nodes.filter((node) => node.type === "output").length > 1;
}

function defaultOf(kind: Kind): Value {
  if (kind === "items") return [7, 8];
  if (kind === "text") return "default";
  return kind === "bytes" ? Uint8Array.of(1, 2) : 9;
}
