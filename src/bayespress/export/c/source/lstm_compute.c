/* Compute the live gates; they rise, so that those of the cell's input stand together. */
static void compute_gates${end}(${type}row, const float *hidden, float *live)
{
    int k;

    begin_gates${end}(row, live);
    add_recurrent${end}(hidden, live);
    for (k = 0; k < CELL_INPUT_FIRST${END}; k++)
        live[k] = gate(live[k]);
    for (k = CELL_INPUT_FIRST${END}; k < CELL_INPUT_LAST${END}; k++)
        live[k] = tangens(live[k]);
    for (k = CELL_INPUT_LAST${END}; k < NUM_LIVE${END}; k++)
        live[k] = gate(live[k]);
}

