/* ${comment} */
static void add_${matrix}(int row, float *restrict to)
{
    size_t k = ${matrix}_starts[row], end = ${matrix}_starts[row + 1];

    for (; k < end; k++)
        to[${matrix}_columns[k]] += ${matrix}_values[k];
}

