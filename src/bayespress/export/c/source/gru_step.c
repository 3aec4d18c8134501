/* Read one row; gates are r, z, n of all neurons, and what r scales within n. */
static void ${step}(${type}row, float *restrict hidden)
{
    float gates[4 * NEURONS${END}], next;
    int k;

    set_gates${end}(row, hidden, gates);
    for (k = 0; k < NEURONS${END}; k++) {
        next = tangens(gates[2 * NEURONS${END} + k] + gates[k] * gates[3 * NEURONS${END} + k]);
        hidden[k] = next + gates[NEURONS${END} + k] * (hidden[k] - next);
    }
}

