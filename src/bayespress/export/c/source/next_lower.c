/* The lowercase of a character; where it is several, all but the first wait. */
static uint32_t lowercase(struct scan *scan, uint32_t c)
{
    const struct several *several;
    int k;

    if (c < 0x80)
        return c - 'A' < 26 ? c + 32 : c;
    ${sigma}for (k = 0; k < NUM_LOWER && lower[k].first <= c; k++)
        if (c <= lower[k].last && (c - lower[k].first) % lower[k].step == 0)
            return c + lower[k].add;
    for (several = lower_several; several < lower_several + NUM_SEVERAL; several++)
        if (c == several->character) {
            for (k = several->count - 1; k > 0; k--)
                scan->waiting[scan->num_waiting++] = several->lower[k];
            return several->lower[0];
        }
    return c;
}

/* The next character in lowercase. */
static uint32_t next_character(struct scan *scan)
{
    if (scan->num_waiting > 0)
        return scan->waiting[--scan->num_waiting];
    return scan->at < scan->end ? lowercase(scan, decoded(&scan->at)) : NO_CHARACTER;
}

