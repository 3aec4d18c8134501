/* What every harness has: rules, and a program that replays texts from its standard input. */
static void hold(int holds, const char *rule)
{
    if (!holds) {
        fprintf(stderr, "broken: %s\n", rule);
        abort();
    }
}

static void check_shares(const float *shares, int count, int sums)
{
    double sum = 0;
    int k;

    for (k = 0; k < count; k++) {
        hold(isfinite(shares[k]), "a probability is finite");
        hold(shares[k] >= 0 && shares[k] <= 1, "a probability is from 0 to 1");
        sum += shares[k];
    }
    hold(!sums || fabs(sum - 1) < 1e-5, "probabilities sum up to 1");
}

static void check_near(const float *one, const float *other, int count, const char *rule)
{
    int k;

    for (k = 0; k < count; k++)
        hold(fabs((double)one[k] - other[k]) <= 1e-5, rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static int32_t last_code;
static uint64_t last_valid;
static float last_shares[SHARES];

#ifdef REPLAY
int main(void)
{
    uint64_t length;

    while (fread(&length, sizeof length, 1, stdin) == 1) {
        uint8_t *text = malloc(length ? length : 1);
        /* As long as the text, and not a byte more. */
        uint8_t *exact = length ? text : text + 1;

        if (!text || fread(text, 1, length, stdin) != length)
            return 2;
        LLVMFuzzerTestOneInput(exact, length);
        free(text);
        fwrite(&last_code, sizeof last_code, 1, stdout);
        fwrite(&last_valid, sizeof last_valid, 1, stdout);
        fwrite(last_shares, sizeof last_shares, 1, stdout);
    }
    return 0;
}
#endif
