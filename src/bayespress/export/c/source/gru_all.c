static void set_gates${end}(${type}row, const float *hidden, float *gates)
{
    float products[NUM_LIVE${END}];

    compute_gates${end}(row, hidden, gates, products);
    memcpy(gates + NUM_LIVE${END}, products + NUM_SWITCHES${END}, NEURONS${END} * sizeof *gates);
}

