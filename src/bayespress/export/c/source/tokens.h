/* What the network keeps of a word, ${bytes} bytes: it reads a text in both directions and needs
   memory of the caller's meanwhile, which need not be set before and keeps nothing for later. */
struct ${name}_token {
    int32_t row;
${members}};

/* The most of these that a text needs: any text, and one of so many bytes. */
#define ${NAME}_TOKENS ${most}
#define ${NAME}_TOKENS_OF(length) \
    ((size_t)(length) / 2 + 3 < ${NAME}_TOKENS ? (size_t)(length) / 2 + 3 : ${NAME}_TOKENS)

