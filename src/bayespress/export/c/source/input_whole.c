/* What the live gates begin with: their biases and what a row adds. */
static void begin_gates(int row, float *live)
{
    memcpy(live, begin_values + (size_t)row * NUM_LIVE, NUM_LIVE * sizeof *live);
}

