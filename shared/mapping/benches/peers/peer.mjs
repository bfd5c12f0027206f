// The same orders by jsonata-js: node peer.mjs <documents, one per line> <expression>. Prints events per second of this thread.
import fs from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const jsonata = createRequire(import.meta.url)(process.env.JSONATA);
const [documents, rule] = process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8"));
const lines = documents.trim().split("\n");
const expression = jsonata(rule);
// Less than what ours do, for a peer should not lose by our own functions.
expression.registerFunction("dec", (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text));
expression.registerFunction("moment", (day) => `${day.slice(6)}-${day.slice(3, 5)}-${day.slice(0, 2)}T00:00:00+01:00`);
expression.registerFunction("day", (day) => `${day.slice(6)}-${day.slice(3, 5)}-${day.slice(0, 2)}`);

/** Seconds of the processor that this thread had; of the clock where the system does not tell. */
function spent() {
  try {
    return Number(fs.readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e9;
  } catch {
    return performance.now() / 1e3;
  }
}

async function rate(seconds) {
  const begin = spent();
  let events = 0;
  let bytes = 0;
  let took = 0;
  while (took < seconds) {
    for (const line of lines) {
      bytes += JSON.stringify(await expression.evaluate(JSON.parse(line))).length;
      events += 1;
    }
    took = spent() - begin;
  }
  if (bytes === 0) throw new Error("nothing came out");
  return events / took;
}

const sample = await expression.evaluate(JSON.parse(lines[0]));
await rate(1);
const rates = [await rate(0.7), await rate(0.7), await rate(0.7)];
console.log(JSON.stringify({ rate: Math.max(...rates), sample }));
