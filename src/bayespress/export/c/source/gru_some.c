/* All gates: most are the constants of their biases. */
static void set_gates${end}(${type}row, const float *hidden, float *gates)
{
    float live[NUM_LIVE${END}], products[NUM_LIVE${END}];
    int k;

    compute_gates${end}(row, hidden, live, products);
    memcpy(gates, constant_gates${end}, sizeof constant_gates${end});
    for (k = 0; k < NUM_LIVE${END}; k++)
        gates[live_gates${end}[k]] = live[k];
    for (k = NUM_SWITCHES${END}; k < NUM_LIVE${END}; k++)
        gates[live_gates${end}[k] + NEURONS${END}] = products[k];
}

