/* Whether a letter is the nearest character behind a sigma that is not passed over. */
static int letter_follows(const unsigned char *at, const unsigned char *end)
{
    uint32_t c;

    while (at < end)
        if (!lies_in(ignored_bounds, ignored_planes, c = decoded(&at)))
            return lies_in(cased_bounds, cased_planes, c);
    return 0;
}

/* Whether a letter is the nearest character before a sigma that is not passed over. */
static int letter_precedes(const unsigned char *begin, const unsigned char *at)
{
    const unsigned char *character;
    uint32_t c;

    while (at > begin) {
        do
            at--;
        while ((*at & 0xC0) == 0x80);
        character = at;
        if (!lies_in(ignored_bounds, ignored_planes, c = decoded(&character)))
            return lies_in(cased_bounds, cased_planes, c);
    }
    return 0;
}

/* Lowercase of a capital sigma that was just read: another one at the end of a word. */
static uint32_t lower_sigma(const struct scan *scan)
{
    int is_final = letter_precedes(scan->begin, scan->at - 2) /* a sigma is two bytes */
                   && !letter_follows(scan->at, scan->end);

    return is_final ? 0x3C2 : 0x3C3;
}

