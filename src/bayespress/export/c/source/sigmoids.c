/* Turn log odds into probabilities, in place. */
static void sigmoids(float *scores, int count)
{
    int k;

    for (k = 0; k < count; k++)
        scores[k] = (float)(1 / (1 + exp(-(double)scores[k])));
}

