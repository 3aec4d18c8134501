/* A linear layer, a softmax, the cross-entropy, and all gradients, for a few rows at a time: what
   the softmax of a large vocabulary takes stays in the cache and is never written out. */

#include <math.h>
#include <stdlib.h>

#include "gemm.h"

enum {
    CHUNK = 64,  /* rows at a time */
    INNER = 512, /* tokens that the product with the weights takes at a time */
};

struct output_loss {
    long hidden, tokens;
    const float *h;            /* (rows, hidden) */
    const int32_t *target;     /* (rows) */
    const float *packed;       /* the weights transposed, packed */
    const float *packed_back;  /* the weights as they are, packed INNER tokens at a time */
    const float *bias;         /* (tokens) */
    float scale;               /* what a row's loss counts */
    float *d_h;                /* (rows, hidden) */
};

/* Where block k begins: a packed matrix takes its rows times the columns rounded up. */
static long packed_from(long k, long hidden) { return packed_size(k, hidden); }

/* Pack blocks first to last, of INNER tokens each. */
void bayespress_pack_back(long tokens, long hidden, const float *weight, float *out, long first,
                          long last) {
    for (long k = first * INNER; k < last * INNER && k < tokens; k += INNER) {
        long inner = tokens - k < INNER ? tokens - k : INNER;
        pack(inner, hidden, weight + k * hidden, hidden, 1, out + packed_from(k, hidden));
    }
}

static float largest(const float *x, long n) {
    vf best = splat(-INFINITY);
    long j = 0;
    for (; j + LANES <= n; j += LANES) best = at_least(load(x + j), best);
    float result = -INFINITY;
    for (int k = 0; k < LANES; k++) result = best[k] > result ? best[k] : result;
    for (; j < n; j++) result = x[j] > result ? x[j] : result;
    return result;
}

/* Turn a row of logits into the gradient of its loss, and return the loss. */
static double softmax_row(const struct output_loss *s, float *logits, long target, float *d_bias) {
    long n = s->tokens;
    for (long j = 0; j < n; j += LANES)
        store_n(logits + j, load_n(logits + j, n - j) + load_n(s->bias + j, n - j), n - j);
    float top = largest(logits, n), of_target = logits[target];
    vf total = {0};
    for (long j = 0; j < n; j += LANES) {
        store_n(logits + j, exponential(load_n(logits + j, n - j) - top), n - j);
        total += load_n(logits + j, n - j);
    }
    double sum_of_all = sum(total);
    float factor = s->scale / (float)sum_of_all;
    for (long j = 0; j < n; j += LANES) {
        vf gradient = load_n(logits + j, n - j) * factor;
        store_n(logits + j, gradient, n - j);
        store_n(d_bias + j, load_n(d_bias + j, n - j) + gradient, n - j);
    }
    logits[target] -= s->scale;
    d_bias[target] -= s->scale;
    return s->scale * (log(sum_of_all) + top - of_target);
}

static void back(const struct output_loss *s, const float *gradient, long rows, float *d_h) {
    const float *start[CHUNK];
    for (long r = 0; r < rows; r++) start[r] = d_h + r * s->hidden;
    memset(d_h, 0, (size_t)(rows * s->hidden) * sizeof(float));
    for (long k = 0; k < s->tokens; k += INNER) {
        long inner = s->tokens - k < INNER ? s->tokens - k : INNER;
        gemm(rows, inner, s->hidden, gradient + k, s->tokens,
             s->packed_back + packed_from(k, s->hidden), start, d_h, s->hidden);
    }
}

/* Loss of rows first to last, less than 0 if there is no memory. Adds to `d_weight` (tokens, hidden) and
   `d_bias` (tokens), which are this worker's own. */
double bayespress_output_loss(const struct output_loss *s, float *d_weight, float *d_bias,
                              long first, long last) {
    float *logits = malloc((size_t)(CHUNK * s->tokens) * sizeof(float));
    float *scratch = malloc((size_t)outer_scratch(s->tokens) * sizeof(float));
    double loss = 0;
    if (!logits || !scratch) {
        free(logits), free(scratch);
        return -1;
    }
    uint64_t mode = flush_denormals();
    for (long m = first; m < last; m += CHUNK) {
        long rows = last - m < CHUNK ? last - m : CHUNK;
        const float *h = s->h + m * s->hidden;
        gemm(rows, s->hidden, s->tokens, h, s->hidden, s->packed, 0, logits, s->tokens);
        for (long r = 0; r < rows; r++)
            loss += softmax_row(s, logits + r * s->tokens, s->target[m + r], d_bias);
        back(s, logits, rows, s->d_h + m * s->hidden);
        gemm_outer(rows, s->tokens, s->hidden, logits, s->tokens, h, s->hidden, d_weight, s->hidden,
                   scratch);
    }
    restore_denormals(mode);
    free(logits), free(scratch);
    return loss;
}
