void ${name}_start(struct ${name}_state *state)
{
    memset(state, 0, sizeof *state);
    state->last = -1;
}

void ${name}_read_token(struct ${name}_state *state, int token)
{
    read_row(token_rows[token], state->hidden, state->cell);
    state->last = token;
}

int ${name}_read(struct ${name}_state *state, const char *text, size_t length)
{
    int result = 0, token;
    struct scan scan;
    struct word word;

    if (${name}_check(text, length) < length)
        return ${NAME}_NOT_UTF8;
    scan = opened(text, length);
    while ((token = following(&scan, &word)) != NO_TOKEN)
        if (token < 0)
            result = ${NAME}_LEFT_OUT;
        else
            ${name}_read_token(state, token);
    return result;
}

void ${name}_next(const struct ${name}_state *state, float *probabilities)
{
    memcpy(probabilities, output_bias, sizeof output_bias);
    add_output(state->hidden, probabilities);
    softmax(probabilities, ${NAME}_TOKENS);
}

const char *${name}_token(int token, size_t *length)
{
    size_t begin = word_starts[token] + WORD_GAP;

    *length = word_starts[token + 1] - begin;
    return (const char *)word_bytes + begin;
}

static int is_among(const int *tokens, int count, int token)
{
    int k;

    for (k = 0; k < count; k++)
        if (tokens[k] == token)
            return 1;
    return 0;
}

const char *${name}_piece(int before, int token, size_t *length)
{
    const char *text = ${name}_token(token, length);

    if (token == ${NAME}_LINE_END) {
        *length = 1;
        return "\n";
    }
    if (before < 0 || before == ${NAME}_LINE_END
        || is_among(joins_before, NUM_JOINS_BEFORE, token)
        || is_among(joins_after, NUM_JOINS_AFTER, before))
        return text;
    /* The space stands before the token. */
    *length += WORD_GAP;
    return text - WORD_GAP;
}
