/* Compute the live gates; they rise, so that those of the cell's input stand together. */
static void compute_gates(int row, const float *hidden, float *live)
{
    int k;

    begin_gates(row, live);
    add_recurrent(hidden, live);
    for (k = 0; k < CELL_INPUT_FIRST; k++)
        live[k] = gate(live[k]);
    for (k = CELL_INPUT_FIRST; k < CELL_INPUT_LAST; k++)
        live[k] = tangens(live[k]);
    for (k = CELL_INPUT_LAST; k < NUM_LIVE; k++)
        live[k] = gate(live[k]);
}

