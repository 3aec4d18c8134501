/* tanh(x) as a quotient of polynomials, within 3e-9 before it is rounded: compilers make vector
   instructions of a loop over this, where a call of tanhf() would remain a call. */
static float tangens(float value)
{
    double x = value < -9.5f ? -9.5 : value > 9.5f ? 9.5 : (double)value, q = x * x;
    double above = -1.1216055563679085e-11, below = 1.2474723754548918e-06;

    above = above * q + 2.9223254135502327e-08;
    above = above * q + 2.7432930242970152e-05;
    above = above * q + 0.0038396582369110309;
    above = above * q + 0.13656992675591012;
    above = above * q + 0.99999999769726688;
    below = below * q + 0.00038882148740291975;
    below = below * q + 0.027140771656162056;
    below = below * q + 0.46990323843640813;
    below = below * q + 1;
    return (float)(x * above / below);
}

