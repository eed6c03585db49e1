// Shows every page below a folder in a browser, on a phone and on a desk, by day and by night.
//
// Usage: node look.mjs MODULES CHROMIUM FOLDER
//
// MODULES is the folder in which playwright-core and axe-core were installed. A fault is a scroll
// bar to the side, an image that is not there, anything on the console, any request at all, and
// whatever axe finds: in letters in each view, in pages, which are long, at each width and in each
// light once. Prints every fault, then how many views it saw.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { installed, launch } from "./browser.mjs";

const [modules, executablePath, folder] = process.argv.slice(2);
const axe = installed(modules)("axe-core").source;

const WIDTHS = [390, 1200];
const SCHEMES = ["light", "dark"];
const HEIGHT = 900;
const BRIEFLY = { resultTypes: ["violations"], preload: false, iframes: false };
const faults = new Map(); // what is wrong, and in which views
let views = 0;

const documents = readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith(".html"))
  .sort();
const browser = await launch(modules, executablePath);
const page = await browser.newPage();

let [document, view] = ["", ""];
const fault = (said) => {
  const key = `${document}: ${said}`;
  faults.set(key, [...(faults.get(key) ?? []), view]);
};
page.on("console", (message) => fault(`console ${message.type()}: ${message.text()}`));
page.on("pageerror", (error) => fault(`error: ${error}`));
page.on("requestfailed", (request) => fault(`failed: ${request.url().slice(0, 200)}`));
page.on("request", (request) => {
  const isDocument = request.isNavigationRequest() && request.url().startsWith("file:");
  if (!isDocument && !request.url().startsWith("data:image/png;")) {
    fault(`asked for ${request.url().slice(0, 200)}`);
  }
});

for (const name of documents) {
  [document, view] = [name, "loading"];
  await page.goto(pathToFileURL(join(folder, name)).href);
  await page.evaluate(axe);
  const isLetter = name.endsWith(".eml.html");
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      view = `${width} ${colorScheme}`;
      await page.setViewportSize({ width, height: HEIGHT });
      await look(width);
      if (isLetter || (width === WIDTHS[0]) === (colorScheme === SCHEMES[0])) await judge();
      views += 1;
    }
  }
}
await browser.close();
faults.forEach((seen, said) => console.log(`${said} (${[...new Set(seen)].join(", ")})`));
console.log(`saw ${documents.length} documents in ${views} views`);
process.exitCode = faults.size > 0 ? 1 : 0;

// Folded and unfolded; it stays unfolded.
async function look(width) {
  for (const open of [false, true]) {
    const seen = await page.evaluate((open) => {
      document.querySelectorAll("details").forEach((fold) => (fold.open = open));
      const images = [...document.images].filter((it) => !it.complete || it.naturalWidth === 0);
      const { scrollWidth } = document.documentElement;
      const wide = [...document.querySelectorAll("body *")].filter(
        (it) => it.getBoundingClientRect().right > innerWidth + 0.5,
      );
      return {
        width: innerWidth,
        scrollWidth,
        missing: images.map((it) => it.alt),
        wide: scrollWidth > innerWidth ? wide.slice(0, 3).map((it) => it.outerHTML.slice(0, 160)) : [],
      };
    }, open);
    if (seen.width !== width) fault(`is ${seen.width} wide`);
    if (seen.scrollWidth > width) fault(`scrolls to ${seen.scrollWidth}: ${seen.wide.join(" | ")}`);
    seen.missing.forEach((alt) => fault(`no image: ${alt}`));
  }
}

// Runs axe over all that is there, folds open.
async function judge() {
  const { violations } = await page.evaluate((options) => axe.run(options), BRIEFLY);
  for (const { id, impact, help, nodes } of violations) {
    const [{ html, failureSummary }] = nodes;
    const said = `axe ${impact} ${id}: ${help}, ${nodes.length} times, as ${html.slice(0, 200)}`;
    fault(`${said}: ${failureSummary}`);
  }
}
