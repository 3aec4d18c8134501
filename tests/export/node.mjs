// Answers the tests: each line of input names a module and calls of what it exports.
import { createInterface } from "node:readline";

// Texts of a million tokens: only the tokens themselves, as one string.
const briefly = (value) => value.map(({ token }) => token).join("\n");
const plain = (value) => (typeof value?.next === "function" ? [...value] : value);
const revive = (_, value) => (value?.bigint ? BigInt(value.bigint) : value);

async function answer({ module, calls, brief }) {
  const exported = await import(module);
  return calls.map(([name, ...inputs]) => {
    try {
      const value = exported[name](...inputs);
      return { value: brief ? briefly(value) : plain(value) };
    } catch (error) {
      return { error: `${error.name}: ${error.message}` };
    }
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const answers = await answer(JSON.parse(line, revive)).catch((error) => ({ broken: error.stack }));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
