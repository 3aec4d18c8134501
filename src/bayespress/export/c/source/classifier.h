/* ${summary}

   A text is UTF-8 of any length, given with its length in bytes; it need not end in a zero byte,
   and zero bytes in it are characters like any other. Nothing is allocated and no variable is
   shared: a function may run in several threads at once. A call takes about ${stack} bytes of stack.

${memory_example}       float probabilities[${NAME}_CLASSES];
       if (${name}_predict(text, strlen(text), ${memory}probabilities) == 0)
           ...
*/
#ifndef ${NAME}_H
#define ${NAME}_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ${NAME}_CLASSES ${classes}

/* What ${name}_predict() returns for a text that is not valid UTF-8. */
#define ${NAME}_NOT_UTF8 (-1)

/* Ids of words are 0 to ${NAME}_IDS - 1, in the order of the model's vectors; 0 is the zero vector. */
#define ${NAME}_IDS ${ids}

/* What ${name}_predict_ids() returns where an id is none of these. */
#define ${NAME}_NO_SUCH_ID (-2)

${tokens}/* Names of the classes, UTF-8 that ends in a zero byte. */
extern const char *const ${name}_labels[${NAME}_CLASSES];

/* Set the probability of every class, in the order of the labels.${several}
   Returns 0, or ${NAME}_NOT_UTF8: then nothing is set, and ${name}_check() tells where. */
int ${name}_predict(const char *text, size_t length, ${memory_parameter}float *probabilities);

/* The same for a text that was turned into ids elsewhere, all of which are read: it is not cut.
   The ids may be NULL where there are none.${memory_of_ids}
   Returns 0, or ${NAME}_NO_SUCH_ID: then nothing is set. */
int ${name}_predict_ids(const int32_t *ids, size_t count, ${memory_parameter}float *probabilities);

/* The length of a text's valid part: the whole length, or the offset of the first byte of what is
   not UTF-8 (overlong forms, surrogates and what lies beyond U+10FFFF are not). */
size_t ${name}_check(const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
