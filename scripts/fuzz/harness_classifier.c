
#define MOST_IDS 16

/* The same answer twice, from both ways a network is written, and for ids. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    float one[SHARES], two[SHARES], untouched[SHARES];
    size_t valid = model_check(text, size), count, k;
    int32_t ids[MOST_IDS];
    int code;

    memset(untouched, 0xff, sizeof untouched);
    memcpy(one, untouched, sizeof one);
    memcpy(two, untouched, sizeof two);
    hold(valid <= size, "the valid part is a part");
    hold(fast_check(text, size) == valid, "both ways find the same valid part");
    code = model_ask(text, size, one);
    hold(code == (valid < size ? MODEL_NOT_UTF8 : 0), "what is not valid is refused, and no more");
    last_code = code;
    last_valid = valid;
    memcpy(last_shares, one, sizeof one);
    if (code) {
        hold(!memcmp(one, untouched, sizeof one), "a refusal sets nothing");
        hold(model_ask(text, valid, one) == 0, "the valid part is taken");
    }
    valid = code ? valid : size;
    check_shares(one, SHARES, SUMS);
    hold(model_ask(text, valid, two) == 0 && !memcmp(one, two, sizeof one), "twice is the same");
    hold(fast_ask(text, valid, two) == 0, "the fast way takes what the other takes");
    check_near(one, two, SHARES, "both ways give the same");

    /* Ids as they come, most of which have no vector, and ids that have. */
    memcpy(one, untouched, sizeof one);
    count = size / sizeof *ids < MOST_IDS ? size / sizeof *ids : MOST_IDS;
    memcpy(ids, data, count * sizeof *ids);
    code = model_ask_ids(ids, count, one);
    hold(fast_ask_ids(ids, count, two) == code, "both ways refuse the same ids");
    hold(!code || !memcmp(one, untouched, sizeof one), "refused ids set nothing");
    count = size < MOST_IDS ? size : MOST_IDS;
    for (k = 0; k < count; k++)
        ids[k] = data[k] % MODEL_IDS;
    hold(model_ask_ids(ids, count, one) == 0, "ids that have a vector are taken");
    hold(fast_ask_ids(ids, count, two) == 0, "the fast way takes them too");
    check_shares(one, SHARES, SUMS);
    check_near(one, two, SHARES, "both ways give the same of ids");
    return 0;
}
