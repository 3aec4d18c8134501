static void set_gates(int row, const float *hidden, float *gates)
{
    compute_gates(row, hidden, gates);
}

