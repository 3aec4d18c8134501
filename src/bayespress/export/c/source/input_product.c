/* What a row adds to the live gates; row 0 is the zero vector. */
static void add_input${end}(int row, float *live)
{
    float vector[${dims}] = {0};

    if (row == 0)
        return;
    add_embedding(row - 1, vector);
    add_weight_ih${end}(vector, live);
}

