static void print_class(const float *probabilities)
{
    const char *gap = "";
    int k;

    for (k = 0; k < ${NAME}_CLASSES; k++)
        if (probabilities[k] >= 0.5f) {
            printf("%s%s\t%.6f", gap, ${name}_labels[k], probabilities[k]);
            gap = "\t";
        }
    putchar('\n');
}

