#define NO_CHARACTER UINT32_MAX

/* A text that is being read: all of it, where reading is, and characters that come before. */
struct scan {
    const unsigned char *begin, *at, *end;
    uint32_t waiting[4]; /* the last one comes first */
    int num_waiting;
};

static struct scan opened(const char *text, size_t length)
{
    /* An empty text may be NULL, to which nothing can be added. */
    const unsigned char *begin = (const unsigned char *)(length > 0 ? text : "");
    struct scan scan = {begin, begin, begin + length, {0}, 0};

    return scan;
}

