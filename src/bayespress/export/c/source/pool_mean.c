/* Add a state to the sums. They are double: in single precision, those over 100,000 states would
   differ by the order in which they are added. */
static void pool(const float *restrict state, int count, double *restrict sums)
{
    int k;

    for (k = 0; k < count; k++)
        sums[k] += state[k];
}

/* Turn sums over so many states into means; of none they are zero. */
static void average(const double *sums, size_t count, float *pooled)
{
    int k;

    for (k = 0; k < FEATURES; k++)
        pooled[k] = count > 0 ? (float)(sums[k] / (double)count) : 0;
}

