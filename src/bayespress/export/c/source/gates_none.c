/* No gate depends on what is read. */
static void set_gates(int row, const float *hidden, float *gates)
{
    (void)row;
    (void)hidden;
    memcpy(gates, constant_gates, sizeof constant_gates);
}

