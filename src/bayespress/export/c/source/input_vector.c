/* What the live gates begin with: their biases and what a row of the layer below adds. */
static void begin_gates${end}(const float *row, float *live)
{
    memcpy(live, live_bias${end}, sizeof live_bias${end});
    add_weight_ih${end}(row, live);
}

