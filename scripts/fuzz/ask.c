static int ${NAME}_ask(const char *text, size_t length, float *shares)
{
    int code;

    ${MEMORY_OF_TEXT}
    code = ${NAME}_predict(text, length, ${ARGUMENT}shares);
    ${END}
    return code;
}

static int ${NAME}_ask_ids(const int32_t *ids, size_t count, float *shares)
{
    int code;

    ${MEMORY_OF_IDS}
    code = ${NAME}_predict_ids(ids, count, ${ARGUMENT}shares);
    ${END}
    return code;
}
