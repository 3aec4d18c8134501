/* Whether a character lies in one of the ranges. The bounds of a plane of 65,536 characters are
   where a range begins and where it has ended, in turn: behind an odd number of them is inside. */
static int lies_in(const uint16_t *bounds, const uint16_t *planes, uint32_t c)
{
    int first = planes[c >> 16], low = first, high = planes[(c >> 16) + 1], middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (bounds[middle] <= (c & 0xFFFF))
            low = middle + 1;
        else
            high = middle;
    }
    return (low - first) & 1;
}

