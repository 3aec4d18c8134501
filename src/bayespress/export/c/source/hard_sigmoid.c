static float gate(float x)
{
    x = 0.2f * x + 0.5f;
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

