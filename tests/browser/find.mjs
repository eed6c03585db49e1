// Opens a list of runs some times and searches it.
//
// Usage: node find.mjs MODULES CHROMIUM FILE WORD...
//
// Prints for each word how many runs are shown, then the least time from the navigation to the end
// of loading.

import { pathToFileURL } from "node:url";

import { launch } from "./browser.mjs";

const [modules, executablePath, file, ...words] = process.argv.slice(2);
const TRIES = 5;

const browser = await launch(modules, executablePath);
const page = await browser.newPage();
page.on("pageerror", (error) => {
  console.log(`error: ${error}`);
  process.exitCode = 1;
});
let least = Infinity;
for (let tries = 0; tries < TRIES; tries += 1) {
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  const took = await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventStart);
  least = Math.min(least, took);
}
for (const word of words) {
  await page.fill("#find", word);
  const rows = await page.locator("tbody tr:visible").count();
  console.log(`${word}: ${rows} shown, ${await page.textContent("#count")}`);
}
await browser.close();
console.log(`opened in ${Math.ceil(least)} ms`);
