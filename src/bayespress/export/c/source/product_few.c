/* ${comment} */
static void add_${matrix}(const float *restrict from, float *restrict to)
{
    int k;

    for (k = 0; k < ${rows}; k++)
        to[k] += ${sum};
}

