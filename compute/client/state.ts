import {
  type Checkpoint,
  checkpointOf,
  type ExecuteRequest,
  type ExecutionUpdate,
  Folder,
  type Value,
} from "../../protocol/index.ts";

/**
 * What one executor has made of a run, on top of what it was given. Each executor has a state of its own: what it reuses
 * is what it was given, not what an earlier one was.
 */
export class State {
  readonly #folder: Folder;
  readonly #request: ExecuteRequest;

  constructor(request: ExecuteRequest) {
    this.#request = request;
    this.#folder = new Folder(request.checkpoint);
  }

  note(update: ExecutionUpdate): void {
    this.#folder.push(update);
  }

  /** Undefined until the executor has begun. */
  checkpoint(): Checkpoint | undefined {
    const { state } = this.#folder;
    if (state.executionId === undefined) return undefined;
    return checkpointOf(state, this.#request.workflow, this.#request.inputs);
  }

  /** What a handle has come to, also where the executor has not yet said that it reuses it. */
  output(path: string, handle: string): Value | undefined {
    const known = this.#folder.state.nodes.get(path);
    if (known) return own(known.outputs, handle);
    const given = this.#request.checkpoint?.nodes[path];
    return given && "outputs" in given && given.outputs ? own(given.outputs, handle) : undefined;
  }
}

function own(outputs: Readonly<Record<string, Value>>, handle: string): Value | undefined {
  return Object.hasOwn(outputs, handle) ? outputs[handle] : undefined;
}
