/* Turn logits into probabilities, in place. */
static void softmax(float *scores, int count)
{
    double largest = scores[0], sum = 0;
    int k;

    for (k = 1; k < count; k++)
        if (scores[k] > largest)
            largest = scores[k];
    for (k = 0; k < count; k++)
        sum += scores[k] = (float)exp(scores[k] - largest);
    for (k = 0; k < count; k++)
        scores[k] = (float)(scores[k] / sum);
}

