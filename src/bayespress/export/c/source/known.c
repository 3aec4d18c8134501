/* The number of a token, or of the one that stands for unknown ones. */
static int known(const struct word *word)
{
    int number = find(word);

    return number < 0 ? UNKNOWN : number;
}

