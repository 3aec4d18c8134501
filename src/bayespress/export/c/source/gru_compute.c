/* Compute the live gates, and the recurrent products of those of n, which are scaled by r; gates
   rise, so that those of n come last. */
static void compute_gates${end}(${type}row, const float *hidden, float *live, float *products)
{
    int k;

    begin_gates${end}(row, live);
    memcpy(products, product_bias${end}, sizeof product_bias${end});
    add_recurrent${end}(hidden, products);
    for (k = 0; k < NUM_SWITCHES${END}; k++)
        live[k] = gate(live[k] + products[k]);
}

