/* What the live gates begin with. */
static void begin_gates${end}(int row, float *live)
{
    memcpy(live, live_bias${end}, sizeof live_bias${end});
    add_input${end}(row, live);
}

