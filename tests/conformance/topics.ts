import type { Topic } from "./case.ts";
import delay from "./fixtures/delay.json" with { type: "json" };
import each from "./fixtures/each.json" with { type: "json" };
import hashes from "./fixtures/hashes.json" with { type: "json" };
import invalid from "./fixtures/invalid.json" with { type: "json" };
import loop from "./fixtures/loop.json" with { type: "json" };
import map from "./fixtures/map.json" with { type: "json" };
import policies from "./fixtures/policies.json" with { type: "json" };
import range from "./fixtures/range.json" with { type: "json" };
import resume from "./fixtures/resume.json" with { type: "json" };
import selection from "./fixtures/selection.json" with { type: "json" };
import shape from "./fixtures/shape.json" with { type: "json" };
import skips from "./fixtures/skips.json" with { type: "json" };
import subflow from "./fixtures/subflow.json" with { type: "json" };
import switches from "./fixtures/switch.json" with { type: "json" };
import template from "./fixtures/template.json" with { type: "json" };
import tools from "./fixtures/tools.json" with { type: "json" };
import transform from "./fixtures/transform.json" with { type: "json" };
import values from "./fixtures/values.json" with { type: "json" };

export const topics: readonly Topic[] = [
  values,
  shape,
  skips,
  switches,
  transform,
  each,
  template,
  range,
  delay,
  map,
  loop,
  subflow,
  policies,
  tools,
  selection,
  resume,
  hashes,
  invalid,
] as unknown as Topic[];
