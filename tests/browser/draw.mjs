// Draws pages as pictures, from their top or from a heading on.
//
// Usage: node draw.mjs MODULES CHROMIUM {PAGE PICTURE WIDTHxHEIGHT[@HEADING] light|dark}..

import { pathToFileURL } from "node:url";

import { launch } from "./browser.mjs";

const [modules, executablePath, ...orders] = process.argv.slice(2);
const browser = await launch(modules, executablePath);
const page = await browser.newPage();
for (let at = 0; at < orders.length; at += 4) {
  const [file, path, size, colorScheme] = orders.slice(at, at + 4);
  const [extent, heading] = size.split("@");
  const [width, height] = extent.split("x").map(Number);
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height });
  await page.goto(pathToFileURL(file).href);
  if (heading) {
    const there = page.getByRole("heading", { name: heading }).first();
    await there.evaluate((it) => scrollTo(0, it.getBoundingClientRect().top + scrollY - 16));
  }
  await page.screenshot({ path });
}
await browser.close();
