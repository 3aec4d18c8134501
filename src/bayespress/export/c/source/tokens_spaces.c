/* The next token of a text: what stands between white space; NO_TOKEN if there is none. */
static int following(struct scan *scan, struct word *word)
{
    uint32_t c;

    do
        c = next_character(scan);
    while (is_space(c) && c != '\n');
    if (c == NO_CHARACTER || c == '\n')
        return c == '\n' ? LINE_BREAK : NO_TOKEN;
    clear(word);
    for (; c != NO_CHARACTER && !is_space(c); c = next_character(scan))
        put(word, c);
    if (c == '\n')
        put_back(scan, c);
    return known(word);
}

