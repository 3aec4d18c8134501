/* No neuron is left. */
static void ${step}(${type}row, float *hidden)
{
    (void)row;
    hidden[0] = 0;
}

