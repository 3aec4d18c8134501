/* Add a state to the sums. */
static void pool(const float *restrict state, int count, float *restrict pooled)
{
    int k;

    for (k = 0; k < count; k++)
        pooled[k] += state[k];
}

/* Turn sums over so many states into means; of none they are zero. */
static void average(float *pooled, size_t count)
{
    int k;

    for (k = 0; k < FEATURES; k++)
        pooled[k] /= count > 0 ? (float)count : 1;
}

