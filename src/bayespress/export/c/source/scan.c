#define NO_CHARACTER UINT32_MAX

/* A text that is being read: all of it, where reading is, and characters that come before. */
struct scan {
    const unsigned char *begin, *at, *end;
    uint32_t waiting[4]; /* the last one comes first */
    int num_waiting;
};

static void open_text(struct scan *scan, const char *text, size_t length)
{
    /* An empty text may be NULL, to which nothing can be added. */
    scan->begin = scan->at = (const unsigned char *)(length > 0 ? text : "");
    scan->end = scan->begin + length;
    scan->num_waiting = 0;
}

