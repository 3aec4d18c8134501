static void print_class(const float *probabilities)
{
    int best = 0, k;

    for (k = 1; k < ${NAME}_CLASSES; k++)
        if (probabilities[k] > probabilities[best])
            best = k;
    printf("%s\t%.6f\n", ${name}_labels[best], probabilities[best]);
}

