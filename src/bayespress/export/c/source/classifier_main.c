/* Classify the lines of standard input: ${what} */
#include "${name}.h"

#include <stdio.h>

static char line[1 << 20];
${memory_of_line}
/* Read a line without its end; returns 0 if there is none, -1 if it is longer than the buffer. */
static int read_line(size_t *length)
{
    int c = getchar();

    if (c == EOF)
        return 0;
    for (*length = 0; c != EOF && c != '\n'; c = getchar()) {
        if (*length == sizeof line)
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
        fprintf(stderr, "line %lu: it is longer than %lu bytes\n", number,
                (unsigned long)sizeof line);
    return read < 0;
}
