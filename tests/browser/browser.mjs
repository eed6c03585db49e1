// Debian's browser without anything of its own making: no window, no updates, no calls home.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

// What is installed in the folder of modules.
export const installed = (modules) => createRequire(join(resolve(modules), "package.json"));

// The browser, in an empty profile that is thrown away.
export const launch = (modules, executablePath) =>
  installed(modules)("playwright-core").chromium.launch({ executablePath, args: FLAGS });
