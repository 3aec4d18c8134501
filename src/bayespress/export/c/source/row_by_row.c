/* What the network remembers of a text. */
struct state {
${members}};

/* Read one row, upwards through all layers. */
static void read_row(int row, struct state *state)
{
${steps}}

/* What the output layer reads. */
static const float *pooled(struct state *state)
{
${finish}    return state->${pooled};
}

