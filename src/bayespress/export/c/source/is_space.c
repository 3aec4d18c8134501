static int is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || c - 9 < 5 || c - 28 < 4;
    return c != NO_CHARACTER && lies_in(space_bounds, space_planes, c);
}

