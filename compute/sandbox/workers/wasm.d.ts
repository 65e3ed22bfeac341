/** wrangler makes a compiled module of it. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
