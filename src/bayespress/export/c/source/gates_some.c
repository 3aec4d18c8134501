/* All gates: most are the constants of their biases. */
static void set_gates(int row, const float *hidden, float *gates)
{
    float live[NUM_LIVE];
    int k;

    compute_gates(row, hidden, live);
    memcpy(gates, constant_gates, sizeof constant_gates);
    for (k = 0; k < NUM_LIVE; k++)
        gates[live_gates[k]] = live[k];
}

