/* Bytes of the character that begins here, 0 if none does that is valid: no overlong form, no half
   of a pair of surrogates, nothing beyond U+10FFFF. */
static size_t character_size(const unsigned char *at, size_t left)
{
    unsigned first = at[0], low, high;
    size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4, k;

    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4 || size > left)
        return 0;
    low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (k = 2; k < size; k++)
        if ((at[k] & 0xC0) != 0x80)
            return 0;
    return size;
}

size_t ${name}_check(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0, size;

    while (at < length && (size = character_size(bytes + at, length - at)) > 0)
        at += size;
    return at;
}

/* The character at *at, and *at moved behind it; the text was found valid. */
static uint32_t decoded(const unsigned char **at)
{
    uint32_t c = *(*at)++;
    int more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;

    if (more > 0)
        c &= 0x3Fu >> more;
    while (more-- > 0)
        c = c << 6 | (*(*at)++ & 0x3Fu);
    return c;
}

