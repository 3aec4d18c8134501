static int is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019;
}

/* Put characters as long as they belong to a word, apostrophes inside of it among them. */
static void put_word(struct scan *scan, struct word *word)
{
    uint32_t c, after;

    while (is_word(c = next_character(scan)) || is_apostrophe(c)) {
        if (is_apostrophe(c)) {
            after = next_character(scan);
            if (after != NO_CHARACTER)
                put_back(scan, after);
            if (!is_word(after))
                break;
        }
        put(word, c);
    }
    if (c != NO_CHARACTER)
        put_back(scan, c);
}

/* The next token of a text: a word or a mark; NO_TOKEN if there is none. */
static int following(struct scan *scan, struct word *word)
{
    uint32_t c;

    do
        c = next_character(scan);
    while (is_space(c) && c != '\n');
    if (c == NO_CHARACTER || c == '\n')
        return c == '\n' ? LINE_BREAK : NO_TOKEN;
    clear(word);
    put(word, c);
    if (is_word(c))
        put_word(scan, word);
    return known(word);
}

