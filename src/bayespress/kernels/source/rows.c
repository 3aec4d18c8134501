/* x = word vector * z_vocab * z_input for every distinct token of every sequence, and its gradient.

   A token is a word in a sequence: tokens come sequence by sequence. */

#include "vector.h"

struct rows {
    long size;              /* E: numbers in a vector */
    const float *vectors;   /* (words, E) */
    const int32_t *word;    /* (tokens): which vector */
    const int32_t *sequence; /* (tokens): which row of z_input */
    const float *z_vocab;   /* (tokens), or NULL: all one */
    const float *z_input;   /* (sequences, E), or NULL: all one */
};

INLINE vf z_of(const struct rows *r, long token, long j, long n) {
    vf z = splat(r->z_vocab ? r->z_vocab[token] : 1.0f);
    if (r->z_input) z *= load_n(r->z_input + r->sequence[token] * r->size + j, n);
    return z;
}

/* Tokens first to last of out (tokens, E). */
void bayespress_rows_forward(const struct rows *r, float *out, long first, long last) {
    uint64_t mode = flush_denormals();
    for (long token = first; token < last; token++) {
        const float *vector = r->vectors + r->word[token] * r->size;
        for (long j = 0; j < r->size; j += LANES) {
            long n = r->size - j;
            store_n(out + token * r->size + j, load_n(vector + j, n) * z_of(r, token, j, n), n);
        }
    }
    restore_denormals(mode);
}

/* Gradients of z_vocab (tokens) and z_input (sequences, E), which is added to; NULL: not asked for.
   Calls that run at the same time must not share a sequence. */
void bayespress_rows_backward_z(const struct rows *r, const float *grad, float *d_z_vocab,
                                float *d_z_input, long first, long last) {
    uint64_t mode = flush_denormals();
    for (long token = first; token < last; token++) {
        const float *vector = r->vectors + r->word[token] * r->size;
        vf total = {0};
        for (long j = 0; j < r->size; j += LANES) {
            long n = r->size - j, place = r->sequence[token] * r->size + j;
            vf product = load_n(grad + token * r->size + j, n) * load_n(vector + j, n);
            if (r->z_input) {
                const float *z = r->z_input + r->sequence[token] * r->size + j;
                total += product * load_n(z, n);
            } else total += product;
            if (d_z_input) {
                vf old = load_n(d_z_input + place, n);
                store_n(d_z_input + place, old + product * splat(r->z_vocab ? r->z_vocab[token] : 1),
                        n);
            }
        }
        if (d_z_vocab) d_z_vocab[token] = sum(total);
    }
    restore_denormals(mode);
}

/* Gradients of the vectors first to last; vector w is read by tokens order[begin[w]] and on. */
void bayespress_rows_backward_vectors(const struct rows *r, const float *grad, const int32_t *order,
                                      const int32_t *begin, float *d_vectors, long first,
                                      long last) {
    uint64_t mode = flush_denormals();
    for (long word = first; word < last; word++) {
        float *out = d_vectors + word * r->size;
        for (long j = 0; j < r->size; j += LANES) {
            long n = r->size - j;
            vf total = {0};
            for (long k = begin[word]; k < begin[word + 1]; k++)
                total += load_n(grad + order[k] * r->size + j, n) * z_of(r, order[k], j, n);
            store_n(out + j, total, n);
        }
    }
    restore_denormals(mode);
}
