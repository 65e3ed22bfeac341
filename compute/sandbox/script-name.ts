/** What engines call a program's script in stack traces. */
export const SCRIPT_NAME = "code.js";
