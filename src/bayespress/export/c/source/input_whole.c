/* What the live gates begin with: their biases and what a row adds. */
static void begin_gates${end}(int row, float *live)
{
    memcpy(live, begin_values${end} + (size_t)row * NUM_LIVE${END}, NUM_LIVE${END} * sizeof *live);
}

