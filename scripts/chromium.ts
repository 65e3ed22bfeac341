import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is: as `CHROMIUM` says, else where systems put it, else nowhere. */
export function findChromium(): string | undefined {
  return [process.env.CHROMIUM ?? "", ...PLACES].find((path) => path !== "" && existsSync(path));
}

/** Finds Chromium, or installs it where that takes no more than asking the system's own package manager. */
export function provideChromium(): string | undefined {
  const found = findChromium();
  if (found !== undefined || process.getuid?.() !== 0) return found;
  for (const args of [["update"], ["install", "--yes", "--no-install-recommends", "chromium"]]) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["--quiet=2", ...args], { stdio: ["ignore", "ignore", "inherit"], env });
  }
  return findChromium();
}
