/* tanh(x) as a quotient of polynomials, within 4e-7: compilers make vector instructions of a loop
   over this, where a call of tanhf() would remain a call. Terms are added in pairs, as each step of
   the network waits for the one before. */
static float tangens(float value)
{
    float least = value < -9.0f ? -9.0f : value, x = least > 9.0f ? 9.0f : least;
    float q = x * x, qq = q * q, above, below;

    above = (0.00349560124f + 2.06092827e-05f * q) + 1.33549118e-08f * qq;
    below = (0.0258770324f + 0.00032856554f * q) + 7.77666628e-07f * qq;
    above = (1 + 0.133810371f * q) + above * qq;
    below = (1 + 0.467143536f * q) + below * qq;
    return x * above / below;
}

