/* The next character. */
static uint32_t next_character(struct scan *scan)
{
    if (scan->num_waiting > 0)
        return scan->waiting[--scan->num_waiting];
    return scan->at < scan->end ? decoded(&scan->at) : NO_CHARACTER;
}

