/* Go on with a text: ${name} [PROMPT [LENGTH [SEED]]]
   Without a seed the most probable token is taken each time. */
#include "${name}.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float probabilities[${NAME}_TOKENS];

/* The next of a row of random numbers in [0, 1) (splitmix64). */
static double next_random(uint64_t *seed)
{
    uint64_t x = *seed += UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((x ^ x >> 31) >> 11) / 9007199254740992.0;
}

static int most_probable(void)
{
    int best = 0, k;

    for (k = 1; k < ${NAME}_TOKENS; k++)
        if (probabilities[k] > probabilities[best])
            best = k;
    return best;
}

static int drawn(double random)
{
    double sum = 0;
    int k;

    for (k = 0; k < ${NAME}_TOKENS; k++)
        sum += probabilities[k];
    random *= sum;
    for (k = 0, sum = 0; k < ${NAME}_TOKENS - 1; k++)
        if ((sum += probabilities[k]) > random)
            break;
    return k;
}

static void write_text(struct ${name}_state *state, long count, uint64_t *seed)
{
    const char *piece;
    size_t length;
    int token;

    while (count-- > 0) {
        ${name}_next(state, probabilities);
        if (${NAME}_UNKNOWN >= 0)
            probabilities[${NAME}_UNKNOWN < 0 ? 0 : ${NAME}_UNKNOWN] = 0; /* it is never written */
        token = seed ? drawn(next_random(seed)) : most_probable();
        piece = ${name}_piece(state->last, token, &length);
        fwrite(piece, 1, length, stdout);
        ${name}_read_token(state, token);
    }
    putchar('\n');
}

int main(int count, char **arguments)
{
    const char *prompt = count > 1 ? arguments[1] : "";
    long length = count > 2 ? atol(arguments[2]) : 100;
    uint64_t seed = count > 3 ? strtoull(arguments[3], NULL, 10) : 0;
    struct ${name}_state state;

    ${name}_start(&state);
    switch (${name}_read(&state, prompt, strlen(prompt))) {
    case ${NAME}_NOT_UTF8:
        fprintf(stderr, "byte %lu of the prompt is not UTF-8\n",
                (unsigned long)${name}_check(prompt, strlen(prompt)) + 1);
        return 1;
    case ${NAME}_LEFT_OUT:
        fprintf(stderr, "the model does not know some tokens of the prompt: take them out\n");
        return 1;
    }
    fputs(prompt, stdout);
    /* Nothing to go on with: begin a line. */
    if (state.last < 0 && ${NAME}_LINE_END >= 0)
        ${name}_read_token(&state, ${NAME}_LINE_END);
    write_text(&state, length, count > 3 ? &seed : NULL);
    return 0;
}
