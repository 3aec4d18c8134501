/* No neuron is left. */
static void read_row(int row, float *hidden, float *cell)
{
    (void)row;
    hidden[0] = cell[0] = 0;
}

