/* Read one row; gates are i, f, g, o of all neurons. */
static void ${step}(${type}row, float *restrict hidden, float *restrict cell)
{
    float gates[4 * NEURONS${END}];
    int k;

    set_gates${end}(row, hidden, gates);
    for (k = 0; k < NEURONS${END}; k++)
        cell[k] = gates[NEURONS${END} + k] * cell[k] + gates[k] * gates[2 * NEURONS${END} + k];
    for (k = 0; k < NEURONS${END}; k++)
        hidden[k] = gates[3 * NEURONS${END} + k] * tangens(cell[k]);
}

