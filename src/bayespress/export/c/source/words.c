/* A word of a text. */
struct word {
    unsigned char bytes[LONGEST_WORD];
    size_t length; /* may exceed LONGEST_WORD: such a word is in no table */
    uint32_t hash; /* FNV-1a */
};

static void clear(struct word *word)
{
    word->length = 0;
    word->hash = 2166136261u;
}

static void put_byte(struct word *word, uint32_t byte)
{
    if (word->length < LONGEST_WORD)
        word->bytes[word->length] = (unsigned char)byte;
    word->length++;
    word->hash = (word->hash ^ byte) * 16777619u;
}

static void put(struct word *word, uint32_t c)
{
    int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

    if (more == 0) {
        put_byte(word, c);
        return;
    }
    put_byte(word, (0xF00u >> (more + 1) & 0xFF) | c >> 6 * more);
    while (more-- > 0)
        put_byte(word, 0x80 | (c >> 6 * more & 0x3F));
}

/* The number of a word in the table, -1 if it has none. */
static int find(const struct word *word)
{
    uint32_t slot = (word->hash ^ word->hash >> 16) % NUM_SLOTS;
    int number;

    for (; (number = (int)word_slots[slot] - 1) >= 0; slot = (slot + 1) % NUM_SLOTS) {
        size_t begin = word_starts[number] + WORD_GAP, end = word_starts[number + 1];
        if (end - begin == word->length && memcmp(word_bytes + begin, word->bytes, end - begin) == 0)
            break;
    }
    return number;
}

