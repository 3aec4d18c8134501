
static int read_from_the_start(struct model_state *state, int mark, const char *text, size_t length)
{
    memset(state, mark, sizeof *state);
    model_start(state);
    return model_read(state, text, length);
}

static void check_pieces(const struct model_state *state)
{
    size_t length;
    int before = state->last, token;

    hold(before >= -1 && before < MODEL_TOKENS, "the last token is one, or none");
    for (token = 0; token < MODEL_TOKENS; token++) {
        hold(model_token(token, &length) != NULL, "a token has a text");
        hold(model_check(model_token(token, &length), length) == length, "a token is UTF-8");
        hold(model_piece(before, token, &length) != NULL, "a token has something to write");
    }
}

/* The same answer twice; lines one after another are the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    const char *end = size ? memchr(text, '\n', size) : NULL;
    struct model_state state, twin;
    float one[SHARES], two[SHARES];
    size_t valid = model_check(text, size);
    int code = read_from_the_start(&state, 0xaa, text, size);

    hold(valid <= size, "the valid part is a part");
    hold((code == MODEL_NOT_UTF8) == (valid < size), "what is not valid is refused, and no more");
    hold(code == 0 || code == MODEL_NOT_UTF8 || code == MODEL_LEFT_OUT, "the code is a known one");
    model_next(&state, one);
    check_shares(one, SHARES, 1);
    check_pieces(&state);
    last_code = code;
    last_valid = valid;
    memcpy(last_shares, one, sizeof one);
    hold(read_from_the_start(&twin, 0x55, text, size) == code, "twice has the same code");
    model_next(&twin, two);
    hold(!memcmp(one, two, sizeof one) && state.last == twin.last, "twice is the same");
    if (code != MODEL_NOT_UTF8 && end) {
        size_t first = (size_t)(end - text) + 1;
        int codes = read_from_the_start(&twin, 0x55, text, first);

        codes |= model_read(&twin, text + first, size - first);
        hold(codes == code, "lines one after another have the code of the text");
        model_next(&twin, two);
        check_near(one, two, SHARES, "lines one after another are the text");
        hold(state.last == twin.last, "lines one after another end with the same token");
    }
    if (state.last >= 0) {
        model_read_token(&twin, state.last);
        model_next(&twin, two);
        check_shares(two, SHARES, 1);
    }
    return 0;
}
