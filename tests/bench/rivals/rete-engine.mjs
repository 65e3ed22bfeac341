import { ClassicPreset, NodeEditor } from "rete";
import { DataflowEngine } from "rete-engine";

const socket = new ClassicPreset.Socket("value");

class Noop extends ClassicPreset.Node {
  constructor(id) {
    super("noop");
    this.id = id;
    this.addInput("in", new ClassicPreset.Input(socket, "in", true));
    this.addOutput("out", new ClassicPreset.Output(socket, "out"));
  }
  data(inputs) {
    return { out: inputs.in?.[0] ?? 0 };
  }
}

/** The engine pulls: the last node asks for its inputs, and so on. */
export async function prepare({ ids, edges }) {
  const editor = new NodeEditor();
  const engine = new DataflowEngine();
  editor.use(engine);
  const nodes = new Map();
  for (const id of ids) {
    nodes.set(id, new Noop(id));
    await editor.addNode(nodes.get(id));
  }
  for (const [source, target] of edges) {
    await editor.addConnection(
      new ClassicPreset.Connection(nodes.get(source), "out", nodes.get(target), "in"),
    );
  }
  return async () => {
    engine.reset();
    await engine.fetch(ids.at(-1));
  };
}
