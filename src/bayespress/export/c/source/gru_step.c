/* Read one row; gates are r, z, n of all neurons, and what r scales within n. */
static void ${step}(${type}row, float *restrict hidden)
{
    float gates[4 * NEURONS${END}], next;
    const float *r = gates, *z = r + NEURONS${END}, *n = z + NEURONS${END};
    const float *product = n + NEURONS${END};
    int k;

    set_gates${end}(row, hidden, gates);
    for (k = 0; k < NEURONS${END}; k++) {
        next = tangens(n[k] + r[k] * product[k]);
        hidden[k] = next + z[k] * (hidden[k] - next);
    }
}

