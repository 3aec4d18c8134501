/* What a row adds to the live gates; row 0 is the zero vector. */
static void add_input${end}(int row, float *live)
{
    if (row > 0)
        add_table${end}(row - 1, live);
}

