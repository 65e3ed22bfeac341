/**
 * Who may import whom. Each rule says why; `npm run boundaries` checks them. The picture is in ARCHITECTURE.md.
 *
 * A room is a folder with one index.ts, which is all that other rooms see of it.
 */
const ROOM = "^(protocol|signaling|(?:compute|peer)/[^/]+)/";
/** Put rooms together, so they may import any of them. */
const ASSEMBLY = "^compute/(?:hosts|cli)/";
/** The places that know the platform. */
const PLATFORM = [
  ASSEMBLY,
  "^compute/sandbox/(?:node|workers|browser)",
  "^signaling/(?:server|node)",
  "^peer/(?:hosts|console)/",
];

/** A room that imports nothing of ours but itself and the rooms listed. */
const only = (room, allowed, comment, except = []) => ({
  name: `what-${room.replaceAll("/", "-")}-imports`,
  comment,
  severity: "error",
  from: { path: `^${room}/`, pathNot: except.map((name) => `^${name}/`) },
  to: {
    path: "^(?:protocol|compute|signaling|peer|tests|examples|scripts)/",
    pathNot: [room, ...allowed].map((name) => `^${name}/`),
  },
});

export default {
  forbidden: [
    only("protocol", [], "The words come first: whoever speaks the protocol must be able to take it alone."),
    only(
      "compute/engine",
      ["protocol"],
      "The engine runs any node type on any host, so it knows none of them.",
    ),
    only(
      "compute/nodes",
      ["protocol", "compute/engine", "compute/sandbox"],
      "Node types are declared against the engine's port. Code they run elsewhere goes through the sandbox's port.",
    ),
    only(
      "compute/sandbox",
      ["protocol"],
      "A sandbox runs code for whoever asks; it knows neither graphs nor runs.",
    ),
    only(
      "compute/service",
      ["protocol", "compute/engine", "compute/nodes"],
      "The service is the HTTP coat of an engine; hosts give it everything else.",
    ),
    only(
      "compute/client",
      ["protocol"],
      "The client is downloaded by pages that run nothing themselves: it must not carry the engine.",
    ),
    only(
      "signaling",
      ["protocol"],
      "Signaling introduces peers to each other and has no idea what they compute.",
    ),
    only(
      "peer/mesh",
      ["protocol", "compute/engine"],
      "The mesh is played by a simulator: links, signaling, time and randomness reach it as ports only.",
    ),
    only(
      "peer",
      ["protocol", "compute/engine", "compute/nodes", "compute/sandbox", "compute/client"],
      "Peers compute and submit; they meet over the wire, never through the code of the service or of signaling.",
      ["peer/mesh", "peer/console"],
    ),
    only(
      "peer/console",
      ["protocol", "peer", "compute/client"],
      "The console shows what peers and the client know; it computes nothing.",
    ),
    {
      name: "only-the-index-of-a-room",
      comment:
        "What isn't in a room's index.ts is free to change without looking outside. Hosts name the sandbox of their platform.",
      severity: "error",
      from: { path: ROOM },
      to: {
        path: ROOM,
        pathNot: [
          "^$1/",
          "^(?:protocol|signaling|(?:compute|peer)/[^/]+)/index\\.ts$",
          "^compute/hosts/",
          "^compute/sandbox/(?:node|workers|browser)",
        ],
      },
    },
    {
      name: "the-sandbox-of-a-platform-is-for-hosts",
      comment:
        "Whoever else wants code run asks for the port, so that it can be killed the way its host can.",
      severity: "error",
      from: { path: ROOM, pathNot: ["^compute/(?:hosts|cli|sandbox)/", "^peer/(?:hosts|console)/"] },
      to: { path: "^compute/sandbox/(?:node|workers|browser)" },
    },
    {
      name: "hosts-are-the-end",
      comment:
        "Hosts turn environment into config and call inwards. Imported from inside, no room would be neutral.",
      severity: "error",
      from: { path: ROOM, pathNot: ["^compute/(?:hosts|cli)/", "^peer/hosts/"] },
      to: { path: "^(?:compute|peer)/hosts/" },
    },
    {
      name: "nothing-imports-the-cli-or-the-console",
      comment: "They are what people look at; behind them is always a room that programs can use.",
      severity: "error",
      from: { pathNot: ["^compute/cli/", "^peer/console/", "^tests/"] },
      to: { path: ["^compute/cli/", "^peer/console/"] },
    },
    {
      name: "nothing-imports-tests",
      comment: "Tests are not part of what is shipped.",
      severity: "error",
      from: { pathNot: "^tests/" },
      to: { path: "^tests/" },
    },
    {
      name: "no-platform-in-neutral-rooms",
      comment:
        "The same code runs on Node, workerd and in browsers. What only one of them has comes as a parameter.",
      severity: "error",
      from: { path: ROOM, pathNot: PLATFORM },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-cycles",
      comment: "Files in a cycle can only be read, tested and moved together; types count too.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "only-declared-dependencies",
      comment: "What package.json doesn't name may be gone after the next install.",
      severity: "error",
      from: {},
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "no-dev-dependencies-in-the-product",
      comment:
        "Whoever installs the package doesn't get them. isolated-vm is optional there, and needed here.",
      severity: "error",
      from: { path: ROOM },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only"],
        pathNot: "^node_modules/isolated-vm/",
      },
    },
    {
      name: "everything-resolves",
      comment: "An import that leads nowhere fails only when it is run.",
      severity: "error",
      from: {},
      // wrangler builds it before it bundles.
      to: { couldNotResolve: true, pathNot: "\\.wasm$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: {
      path: [
        "^(?:dist|\\.wrangler|\\.results|tests/bench/rivals/node_modules)/",
        "^tests/bench/rivals/[^/]+\\.mjs$",
      ],
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".mjs", ".js", ".d.ts", ".json"],
    },
  },
};
