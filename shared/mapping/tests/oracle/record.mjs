// Writes what jsonata-js says beside each expression of the fixtures here. `make jsonata-fixtures` runs it.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const jsonata = createRequire(import.meta.url)(process.env.JSONATA);
const folder = path.dirname(fileURLToPath(import.meta.url));

/** What an expression gives: a value, nothing, or an error. */
async function said(expression, input) {
  try {
    const value = await jsonata(expression).evaluate(structuredClone(input));
    return value === undefined ? { missing: true } : { value: JSON.parse(JSON.stringify(value)) };
  } catch (error) {
    return { error: String(error.code ?? error.message) };
  }
}

for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".json")).sort()) {
  const file = path.join(folder, name);
  const fixture = JSON.parse(fs.readFileSync(file, "utf8"));
  const lines = [];
  for (const { expression, input, differs } of fixture.cases) {
    const js = await said(expression, input === undefined ? fixture.input : input);
    const one = { expression, ...(input === undefined ? {} : { input }), js, ...(differs ? { differs } : {}) };
    lines.push(`    ${JSON.stringify(one)}`);
  }
  const text = `{\n  "about": ${JSON.stringify(fixture.about)},\n  "input": ${JSON.stringify(fixture.input)},\n  "cases": [\n${lines.join(",\n")}\n  ]\n}\n`;
  fs.writeFileSync(file, text);
  console.log(`${name}: ${lines.length} expressions`);
}
