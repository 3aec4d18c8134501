/* What the live gates begin with. */
static void begin_gates(int row, float *live)
{
    memcpy(live, live_bias, sizeof live_bias);
    add_input(row, live);
}

