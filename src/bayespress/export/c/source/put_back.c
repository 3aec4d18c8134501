/* Let a character come once more; there is room for two, and two that lowercase left over. */
static void put_back(struct scan *scan, uint32_t c)
{
    scan->waiting[scan->num_waiting++] = c;
}

