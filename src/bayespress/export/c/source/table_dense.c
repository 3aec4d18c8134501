/* ${comment} */
static void add_${matrix}(int row, float *restrict to)
{
    const float *from = ${matrix}_values + (size_t)row * ${columns};
    int k;

    for (k = 0; k < ${columns}; k++)
        to[k] += from[k];
}

