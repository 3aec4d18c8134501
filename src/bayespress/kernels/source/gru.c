/* All time steps of a GRU, forward and backward, for some sequences of a mini-batch.

   The maths is in nn/gru_recurrence.py. Sequences are independent of each other: threads share
   nothing but what they read, and every sum over sequences is added up by the caller. */

#include <stdlib.h>

#include "recurrent.h"

/* Arrays of floats unless said otherwise; T steps, B sequences, H neurons, R rows of projections. */
struct gru {
    long steps, batch, hidden;
    long hard;               /* whether r and u use the hard sigmoid */
    long z_gates_stride;     /* 3 H, or 0 where all sequences share the variables */
    long z_hidden_stride;    /* H, or 0 */
    const float *projection; /* (R, 3 H): input products p */
    const int32_t *row;      /* (T, B): which row of the projections a token reads */
    const uint8_t *real;     /* (T, B): 0 where the state is carried over; NULL if nowhere */
    const float *weight;     /* (3 H, H) */
    const float *bias;       /* (3 H) */
    const float *hidden_bias; /* (H) */
    const float *z_gates, *z_hidden;
    const float *h0;         /* (B, H) */
    float *raw;              /* (T, B, 3 H): recurrent products q */
    float *outputs;          /* (T, B, H) */
};

/* Gradients, for the sequences of one call; those with a worker's name are sums over them. */
struct gru_gradients {
    const float *d_outputs;  /* (T, B, H) or NULL */
    float *dh;               /* (B, H): in: of the last state; out: of the first */
    float *d_z_gates;        /* (B, 3 H), or NULL where not asked for */
    float *d_z_hidden;       /* (B, H), or NULL */
    float *worker_projection; /* (R, 3 H) */
    float *worker_weight;    /* (3 H, H) */
    float *worker_bias;      /* (3 H) */
    float *worker_hidden_bias; /* (H) */
};

/* A neuron's gates, and what the reset gate multiplies. */
struct gates {
    vf r, u, n, inner;
};

INLINE vf squash(const struct gru *s, vf a) { return s->hard ? hard_sigmoid(a) : sigmoid(a); }

INLINE struct gates activate(const struct gru *s, const float *p, const float *q,
                                     const float *z, long j, long n) {
    long h = s->hidden;
    const float *b = s->bias + j;
    vf zn = load_n(z + 2 * h + j, n);
    struct gates k;
    k.r = squash(s, (load_n(p + j, n) + load_n(q + j, n)) * load_n(z + j, n) + load_n(b, n));
    k.u = squash(s, (load_n(p + h + j, n) + load_n(q + h + j, n)) * load_n(z + h + j, n) +
                          load_n(b + h, n));
    k.inner = load_n(q + 2 * h + j, n) * zn + load_n(s->hidden_bias + j, n);
    k.n = tangens_hyperbolicus(load_n(p + 2 * h + j, n) * zn + load_n(b + 2 * h, n) +
                               k.r * k.inner);
    return k;
}

static const float *before(const struct gru *s, long t, long b) {
    return t ? s->outputs + ((t - 1) * s->batch + b) * s->hidden : s->h0 + b * s->hidden;
}

static void cell_forward(const struct gru *s, long t, long b) {
    long h = s->hidden, at = t * s->batch + b;
    const float *old = before(s, t, b), *p = s->projection + (long)s->row[at] * 3 * h;
    const float *zg = s->z_gates + b * s->z_gates_stride, *zh = s->z_hidden + b * s->z_hidden_stride;
    if (!is_real(s->real, s->batch, t, b)) {
        memcpy(s->outputs + at * h, old, (size_t)h * sizeof(float));
        return;
    }
    for (long j = 0; j < h; j += LANES) {
        long n = h - j;
        struct gates k = activate(s, p, s->raw + at * 3 * h, zg, j, n);
        vf added = (1.0f - k.u) * k.n * load_n(zh + j, n);
        store_n(s->outputs + at * h + j, added + k.u * load_n(old + j, n), n);
    }
}

/* Returns 0, or 1 if there is no memory. */
int bayespress_gru_forward(const struct gru *s, long first, long last) {
    long h = s->hidden, count = last - first;
    float *packed = malloc((size_t)packed_size(h, 3 * h) * sizeof(float));
    uint64_t mode = flush_denormals();
    if (packed) {
        pack(h, 3 * h, s->weight, 1, h, packed);
        for (long t = 0; t < s->steps; t++) {
            if (any_real(s->real, s->batch, t, first, last))
                gemm(count, h, 3 * h, before(s, t, first), h, packed, 0,
                     s->raw + (t * s->batch + first) * 3 * h, 3 * h);
            for (long b = first; b < last; b++) cell_forward(s, t, b);
        }
    }
    restore_denormals(mode);
    free(packed);
    return !packed;
}

INLINE void add(float *to, vf what, long n) { store_n(to, load_n(to, n) + what, n); }

/* One sequence's step backward; writes the gradient of the recurrent products to d_raw. */
static void cell_backward(const struct gru *s, const struct gru_gradients *d, long t, long b,
                              float *d_raw) {
    long h = s->hidden, at = t * s->batch + b, row = (long)s->row[at] * 3 * h;
    const float *old = before(s, t, b), *q = s->raw + at * 3 * h, *p = s->projection + row;
    const float *zg = s->z_gates + b * s->z_gates_stride, *zh = s->z_hidden + b * s->z_hidden_stride;
    for (long j = 0; j < h; j += LANES) {
        long n = h - j;
        struct gates k = activate(s, p, q, zg, j, n);
        float *place_h = d->dh + b * h + j;
        vf dh = load_n(place_h, n), scale = load_n(zh + j, n), fresh = dh * (1.0f - k.u);
        if (d->d_z_hidden) add(d->d_z_hidden + b * h + j, fresh * k.n, n);
        vf dn = fresh * scale * (1.0f - k.n * k.n);
        vf in[3] = {
            dn * k.inner * slope(s->hard, k.r),
            dh * (load_n(old + j, n) - k.n * scale) * slope(s->hard, k.u),
            dn,
        };
        vf back[3] = {in[0], in[1], dn * k.r};
        store_n(place_h, dh * k.u, n);
        for (long g = 0; g < 3; g++) {
            long place = g * h + j;
            vf z = load_n(zg + place, n);
            store_n(d_raw + place, back[g] * z, n);
            add(d->worker_projection + row + place, in[g] * z, n);
            add(d->worker_bias + place, in[g], n);
            if (d->d_z_gates)
                add(d->d_z_gates + b * 3 * h + place,
                        in[g] * load_n(p + place, n) + back[g] * load_n(q + place, n), n);
        }
        add(d->worker_hidden_bias + j, back[2], n);
    }
}

static void step_backward(const struct gru *s, const struct gru_gradients *d, long t, long first,
                              long last, const float *packed, float *d_raw, float *d_old,
                              float *scratch) {
    long h = s->hidden, count = last - first, at = t * s->batch + first;
    if (d->d_outputs)
        for (long k = 0; k < count * h; k++) d->dh[first * h + k] += d->d_outputs[at * h + k];
    if (!any_real(s->real, s->batch, t, first, last)) return;
    for (long b = first; b < last; b++) {
        float *one = d_raw + (b - first) * 3 * h;
        if (is_real(s->real, s->batch, t, b)) cell_backward(s, d, t, b, one);
        else memset(one, 0, (size_t)(3 * h) * sizeof(float));
    }
    gemm(count, 3 * h, h, d_raw, 3 * h, packed, 0, d_old, h);
    for (long b = first; b < last; b++)
        if (is_real(s->real, s->batch, t, b))
            for (long j = 0; j < h; j++) d->dh[b * h + j] += d_old[(b - first) * h + j];
    gemm_outer(count, 3 * h, h, d_raw, 3 * h, before(s, t, first), h, d->worker_weight, h, scratch);
}

/* Returns 0, or 1 if there is no memory. */
int bayespress_gru_backward(const struct gru *s, const struct gru_gradients *d, long first,
                            long last) {
    long h = s->hidden, count = last - first;
    float *packed = malloc((size_t)packed_size(3 * h, h) * sizeof(float));
    float *scratch = malloc((size_t)outer_scratch(3 * h) * sizeof(float));
    float *d_raw = malloc((size_t)(count * 4 * h) * sizeof(float));
    int failed = !packed || !scratch || !d_raw;
    uint64_t mode = flush_denormals();
    if (!failed) {
        pack(3 * h, h, s->weight, h, 1, packed);
        for (long t = s->steps - 1; t >= 0; t--)
            step_backward(s, d, t, first, last, packed, d_raw, d_raw + count * 3 * h, scratch);
    }
    restore_denormals(mode);
    free(packed);
    free(scratch);
    free(d_raw);
    return failed;
}
