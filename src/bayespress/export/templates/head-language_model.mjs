// A language model, written by bayespress @VERSION@. Needs nothing but a browser or node.
//
//   import { generate, probabilities, likeliest, tokenize, tokens } from "./model.mjs";
//   [...generate("Dear", { length: 20, temperature: 0.8, seed: 1 })].join("");
//   likeliest("Dear", 5);               // [{ token, probability }, …]
//
// Tokens are found as Python finds them, whatever Unicode the browser knows. A lone surrogate,
// which is half a character, counts as a character. Equal seeds give the texts that Python writes.

const MODEL = @MODEL@;
