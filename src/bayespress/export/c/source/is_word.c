static int is_word(uint32_t c)
{
    if (c < 0x80)
        return (c | 32) - 'a' < 26 || c - '0' < 10 || c == '_';
    return c != NO_CHARACTER && lies_in(letter_bounds, letter_planes, c);
}

