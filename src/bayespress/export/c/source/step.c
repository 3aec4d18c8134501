/* Read one row; gates are i, f, g, o of all neurons. */
static void read_row(int row, float *restrict hidden, float *restrict cell)
{
    float gates[4 * NEURONS];
    int k;

    set_gates(row, hidden, gates);
    for (k = 0; k < NEURONS; k++)
        cell[k] = gates[NEURONS + k] * cell[k] + gates[k] * gates[2 * NEURONS + k];
    for (k = 0; k < NEURONS; k++)
        hidden[k] = gates[3 * NEURONS + k] * tangens(cell[k]);
}

