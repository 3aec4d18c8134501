/* ${summary}

   A text is UTF-8 of any length, given with its length in bytes; it need not end in a zero byte,
   and zero bytes in it are characters like any other. Nothing is allocated and no variable is
   shared: all that is remembered stands in a state of the caller's, and functions may run in several
   threads at once on states of their own. A call takes about ${stack} bytes of stack.

       struct ${name}_state state;
       ${name}_start(&state);
       ${name}_read(&state, prompt, strlen(prompt));
       for (;;) {
           ${name}_next(&state, probabilities);
           token = ...;
           piece = ${name}_piece(state.last, token, &length);
           fwrite(piece, 1, length, stdout);
           ${name}_read_token(&state, token);
       }

   Tokens are ${tokens}.${window} */
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tokens are numbered from 0 on. */
#define ${NAME}_TOKENS ${count}

/* The token that ends a line, and that which stands for unknown ones; -1 if there is none. A text
   that begins at nothing is best begun with the former. */
#define ${NAME}_LINE_END ${line_end}
#define ${NAME}_UNKNOWN ${unknown}

/* What ${name}_read() returns for a text that is not valid UTF-8, and for one with tokens that the
   model does not know and has no other token for. */
#define ${NAME}_NOT_UTF8 (-1)
#define ${NAME}_LEFT_OUT 1

/* What was read so far. */
struct ${name}_state {
    float hidden[${memory}], cell[${memory}];
    int last; /* the last token, -1 if there is none */
};

/* Forget everything; a new state must be started before it is used. */
void ${name}_start(struct ${name}_state *state);

/* Read a text. Tokens do not go on from one call to the next.
   Returns 0, ${NAME}_LEFT_OUT if unknown tokens were left out and all others read, or
   ${NAME}_NOT_UTF8: then nothing is read, and ${name}_check() tells where. */
int ${name}_read(struct ${name}_state *state, const char *text, size_t length);

/* Read one token, a number from 0 to ${NAME}_TOKENS - 1. */
void ${name}_read_token(struct ${name}_state *state, int token);

/* Set the probability of every token to come next. */
void ${name}_next(const struct ${name}_state *state, float *probabilities);

/* The text of a token, UTF-8 of this length; no zero byte ends it. */
const char *${name}_token(int token, size_t *length);

/* What to write for a token behind another one, -1 for none: its text with the space before it if
   one belongs there, or a line break for the token that ends a line. */
const char *${name}_piece(int before, int token, size_t *length);

/* The length of a text's valid part: the whole length, or the offset of the first byte of what is
   not UTF-8 (overlong forms, surrogates and what lies beyond U+10FFFF are not). */
size_t ${name}_check(const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
