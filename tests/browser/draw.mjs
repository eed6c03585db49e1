// Draws the top of pages as pictures.
//
// Usage: node draw.mjs MODULES CHROMIUM {PAGE PICTURE WIDTHxHEIGHT light|dark}..

import { pathToFileURL } from "node:url";

import { launch } from "./browser.mjs";

const [modules, executablePath, ...orders] = process.argv.slice(2);
const browser = await launch(modules, executablePath);
const page = await browser.newPage();
for (let at = 0; at < orders.length; at += 4) {
  const [file, path, size, colorScheme] = orders.slice(at, at + 4);
  const [width, height] = size.split("x").map(Number);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height });
  await page.goto(pathToFileURL(file).href);
  await page.screenshot({ path });
}
await browser.close();
