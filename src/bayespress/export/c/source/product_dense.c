/* ${comment} */
static void add_${matrix}(const float *restrict from, float *restrict to)
{
    const float *column = ${matrix}_values;
    int j, k;

    for (j = 0; j < ${columns}; j++, column += ${rows})
        for (k = 0; k < ${rows}; k++)
            to[k] += column[k] * from[j];
}

