/* The next word of a text; 0 if there is none. */
static int next_word(struct scan *scan, struct word *word)
{
    uint32_t c;

    do
        c = next_character(scan);
    while (c != NO_CHARACTER && !is_word(c));
    clear(word);
    for (; is_word(c); c = next_character(scan))
        put(word, c);
    return word->length > 0;
}

static int row_of(const struct word *word)
{
    int number = find(word);

    return number < 0 ? DEFAULT_ROW : word_rows[number];
}

/* Read a text to its end, or to as many rows as the network was trained to read. */
static void read_text(struct scan *scan, ${parameters})
{
    struct word word;
    int steps = 0, row;

    if (PREFIX_ROW != NO_ROW && steps++ < MAX_LENGTH)
        read_row(PREFIX_ROW, ${inner});
    while (steps < MAX_LENGTH && next_word(scan, &word))
        if ((row = row_of(&word)) != NO_ROW) {
            read_row(row, ${inner});
            steps++;
        }
    if (SUFFIX_ROW != NO_ROW && steps < MAX_LENGTH)
        read_row(SUFFIX_ROW, ${inner});
}

/* Set the classes' probabilities by what the network remembers of a text. */
static void answer(${remembered}, float *probabilities)
{
    ${before}memcpy(probabilities${at}, output_bias, sizeof output_bias);
    add_output(${features}, probabilities${at});
    ${normalise}(probabilities, ${NAME}_CLASSES);
}

int ${name}_predict(const char *text, size_t length, ${memory_parameter}float *probabilities)
{
    ${begin}
    struct scan scan;

    if (${name}_check(text, length) < length)
        return ${NAME}_NOT_UTF8;
    scan = opened(text, length);
    read_text(&scan, ${outer});
    answer(${result}, probabilities);
    return 0;
}

int ${name}_predict_ids(const int32_t *ids, size_t count, ${memory_parameter}float *probabilities)
{
    ${begin}
    size_t k;

    for (k = 0; k < count; k++) {
        if (ids[k] < 0 || ids[k] >= ${NAME}_IDS)
            return ${NAME}_NO_SUCH_ID;
        read_row((int)ids[k], ${outer});
    }
    answer(${result}, probabilities);
    return 0;
}
