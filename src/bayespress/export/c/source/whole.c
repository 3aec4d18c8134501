/* A text, and what the output layer reads of it. */
struct state {
    struct ${name}_token *tokens;
    size_t count;
    float pooled[FEATURES];
${members}};

/* Put one row behind the others; they are read when all are there. */
static void read_row(int row, struct state *state)
{
    state->tokens[state->count++].row = row;
}

${runs}/* What the output layer reads. */
static const float *pooled(struct state *state)
{
${finish}    return state->pooled;
}

