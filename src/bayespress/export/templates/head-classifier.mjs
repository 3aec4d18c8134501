// A text classifier, written by bayespress @VERSION@. Needs nothing but a browser or node.
//
//   import { labels, predict, explain } from "./model.mjs";
//   predict("What a lovely evening");   // @ANSWER@
//   explain("What a lovely evening");   // [{ token, start, end, read, kept, effect,
//                                       //    probability }, …]
//
// Words are found as Python finds them, whatever Unicode the browser knows. A lone surrogate,
// which is half a character, is no part of a word.

const MODEL = @MODEL@;
