static void set_gates${end}(${type}row, const float *hidden, float *gates)
{
    compute_gates${end}(row, hidden, gates);
}

