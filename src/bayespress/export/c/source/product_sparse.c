/* ${comment} */
static void add_${matrix}(const float *restrict from, float *restrict to)
{
    size_t k = 0;
    int row;

    for (row = 0; row < ${rows}; row++)
        for (; k < ${matrix}_ends[row]; k++)
            to[row] += ${matrix}_values[k] * from[${matrix}_columns[k]];
}

