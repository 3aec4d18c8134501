/* The KL divergence, its gradient, and Adam, in one pass over a variational parameter's memory. */

#include <math.h>

#include "vector.h"

/* 0.5 log(1 + 1 / alpha) + offset - scale * sigmoid(shift + rate * log alpha) */
struct approximation {
    float offset, scale, shift, rate, clip;
};

struct divergence {
    vf value, by_mean, by_log_sigma;
};

INLINE struct divergence log_uniform(const struct approximation *k, vf mean, vf log_sigma) {
    vf square = mean * mean;
    /* A square below the smallest normal number is taken as that: both are far beyond the clip. */
    vf raw = 2.0f * log_sigma - logarithm(at_least(splat(1.2e-38f), square));
    vf log_alpha = at_least(splat(-k->clip), at_most(splat(k->clip), raw));
    vf inverse = exponential(-log_alpha), step = sigmoid(k->shift + k->rate * log_alpha);
    vf slope = -0.5f * inverse / (1.0f + inverse) - k->scale * k->rate * step * (1.0f - step);
    slope = choose((absolute(raw) < k->clip) & (square > 0.0f), slope, splat(0));
    return (struct divergence){
        0.5f * logarithm(1.0f + inverse) + k->offset - k->scale * step,
        -2.0f * slope / choose(mean == 0.0f, splat(1), mean),
        2.0f * slope,
    };
}

INLINE struct divergence normal(vf mean, vf log_sigma) {
    vf variance = exponential(2.0f * log_sigma);
    return (struct divergence){
        0.5f * (variance + mean * mean) - log_sigma - 0.5f, mean, variance - 1.0f};
}

/* Sum over numbers first to last; writes the gradients where they are not NULL. */
double bayespress_kl(const struct approximation *k, const float *mean, const float *log_sigma,
                     float *d_mean, float *d_log_sigma, long first, long last) {
    double total = 0;
    uint64_t mode = flush_denormals();
    for (long j = first; j < last; j += LANES) {
        long n = last - j;
        struct divergence d = log_uniform(k, load_n(mean + j, n), load_n(log_sigma + j, n));
        total += sum(n < LANES ? load_n((const float *)&d.value, n) : d.value);
        if (d_mean) {
            store_n(d_mean + j, d.by_mean, n);
            store_n(d_log_sigma + j, d.by_log_sigma, n);
        }
    }
    restore_denormals(mode);
    return total;
}

enum { NONE, LOG_UNIFORM, NORMAL };

struct adam {
    float beta1, beta2;
    float kl_weight;  /* of the divergence in the objective */
    float grad_scale; /* of the whole gradient: below 1 where it is clipped */
    long prior;
    struct approximation approximation;
    long columns;          /* numbers in a row */
    const int32_t *slot;   /* (rows): a row's row of gradients, -1: none; NULL: gradients are dense */
};

/* A tensor with its gradient and its moments. It has a t of its own: a log sigma that was not
   learned at first has taken fewer steps than its mean. */
struct slot {
    float *value;
    const float *grad;
    float *first, *second;
    float rate;       /* lr / (1 - beta1^t) */
    float correction; /* sqrt(1 - beta2^t) */
    float epsilon;
};

/* Numbers j to j + LANES of a row, their whole gradients, and the divergence. */
struct piece {
    vf theta, log_s, d_mean, d_log_sigma, value;
};

INLINE struct piece piece_of(const struct adam *a, const struct slot *mean,
                             const struct slot *log_sigma, long at, long from, long n) {
    struct piece p = {.log_s = {0}, .d_log_sigma = {0}, .value = {0}};
    p.theta = load_n(mean->value + at, n);
    p.d_mean = from < 0 ? splat(0) : load_n(mean->grad + from, n);
    if (!log_sigma) return p;
    p.log_s = load_n(log_sigma->value + at, n);
    p.d_log_sigma = from < 0 ? splat(0) : load_n(log_sigma->grad + from, n);
    if (a->prior != NONE) {
        struct divergence d = a->prior == NORMAL
                                  ? normal(p.theta, p.log_s)
                                  : log_uniform(&a->approximation, p.theta, p.log_s);
        p.d_mean += a->kl_weight * d.by_mean;
        p.d_log_sigma += a->kl_weight * d.by_log_sigma;
        p.value = n < LANES ? load_n((const float *)&d.value, n) : d.value;
    }
    return p;
}

INLINE long row_of_gradients(const struct adam *a, long row) {
    return a->slot ? (long)a->slot[row] * a->columns : row * a->columns;
}

/* Sum of the squares of the whole gradients of rows first to last. */
double bayespress_square_norm(const struct adam *a, const struct slot *mean,
                              const struct slot *log_sigma, long first, long last) {
    double total = 0;
    uint64_t mode = flush_denormals();
    for (long row = first; row < last; row++) {
        long at = row * a->columns, from = row_of_gradients(a, row);
        vf row_total = {0};
        for (long j = 0; j < a->columns; j += LANES) {
            long n = a->columns - j, source = from < 0 ? -1 : from + j;
            struct piece p = piece_of(a, mean, log_sigma, at + j, source, n);
            vf squares = p.d_mean * p.d_mean + p.d_log_sigma * p.d_log_sigma;
            row_total += n < LANES ? load_n((const float *)&squares, n) : squares;
        }
        total += sum(row_total);
    }
    restore_denormals(mode);
    return total;
}

INLINE void update(const struct adam *a, const struct slot *s, long j, long n, vf value, vf grad) {
    vf m = load_n(s->first + j, n), v = load_n(s->second + j, n);
    grad *= a->grad_scale;
    m += (1.0f - a->beta1) * (grad - m);
    v = a->beta2 * v + (1.0f - a->beta2) * grad * grad;
    store_n(s->first + j, m, n);
    store_n(s->second + j, v, n);
    vf root;
    for (int k = 0; k < LANES; k++) root[k] = sqrtf(v[k]);
    store_n(s->value + j, value - s->rate * m / (root / s->correction + s->epsilon), n);
}

/* A step for rows first to last; returns their divergence before it. `log_sigma` may be NULL. */
double bayespress_adam(const struct adam *a, const struct slot *mean, const struct slot *log_sigma,
                       long first, long last) {
    double total = 0;
    uint64_t mode = flush_denormals();
    for (long row = first; row < last; row++) {
        long at = row * a->columns, from = row_of_gradients(a, row);
        vf row_total = {0};
        for (long j = 0; j < a->columns; j += LANES) {
            long n = a->columns - j, source = from < 0 ? -1 : from + j;
            struct piece p = piece_of(a, mean, log_sigma, at + j, source, n);
            row_total += p.value;
            update(a, mean, at + j, n, p.theta, p.d_mean);
            if (log_sigma) update(a, log_sigma, at + j, n, p.log_s, p.d_log_sigma);
        }
        total += sum(row_total);
    }
    restore_denormals(mode);
    return total;
}
