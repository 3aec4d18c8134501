/* Keep the larger of each number; the first state is taken as it is. */
static void pool(const float *restrict state, int count, float *restrict pooled, int is_first)
{
    int k;

    for (k = 0; k < count; k++)
        pooled[k] = is_first || state[k] > pooled[k] ? state[k] : pooled[k];
}

