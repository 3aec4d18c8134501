/* Classify the lines of standard input: ${what} */
#include "${name}.h"

#include <stdio.h>
#include <stdlib.h>

static char *line;
static size_t room; /* bytes of it */
${memory_of_line}
/* Make room for a line twice as long; returns 0 if there is no memory for it. */
static int grow(void)
{
    size_t more = room > 0 ? 2 * room : 1 << 16;
    void *longer = more > room ? realloc(line, more) : NULL;

    if (longer == NULL)
        return 0;
    line = longer;
    room = more;
    ${grow_memory}return 1;
}

/* Read a line without its end; returns 0 if there is none, -1 if it does not fit into memory. */
static int read_line(size_t *length)
{
    int c = getchar();

    if (c == EOF)
        return 0;
    if (room == 0 && !grow())
        return -1;
    for (*length = 0; c != EOF && c != '\n'; c = getchar()) {
        if (*length == room && !grow())
            return -1;
        line[(*length)++] = (char)c;
    }
    return 1;
}

${print}int main(void)
{
    float probabilities[${NAME}_CLASSES];
    unsigned long number = 0;
    size_t length;
    int read;

    while (number++, (read = read_line(&length)) > 0) {
        if (${name}_predict(line, length, ${memory}probabilities) != 0) {
            fprintf(stderr, "line %lu: byte %lu is not UTF-8\n", number,
                    (unsigned long)${name}_check(line, length) + 1);
            return 1;
        }
        print_class(probabilities);
    }
    if (read < 0)
        fprintf(stderr, "line %lu: there is no memory for it\n", number);
    return read < 0;
}
