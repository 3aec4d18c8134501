static float gate(float x)
{
    x = 0.2f * x + 0.5f;
    x = x < 0 ? 0 : x; /* one after the other: vector instructions have no branches */
    return x > 1 ? 1 : x;
}

