/* The next token of a text; NO_TOKEN if there is none, UNKNOWN_TOKEN if it has no number. */
static int following(struct scan *scan, struct word *word)
{
    uint32_t c = next_character(scan);

    if (c == NO_CHARACTER)
        return NO_TOKEN;
    clear(word);
    put(word, c);
    return known(word);
}

