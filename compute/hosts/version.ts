import manifest from "../../package.json" with { type: "json" };

/** The version of the package, as `GET /health` and `GET /capabilities` tell it. */
export const VERSION: string = manifest.version;
