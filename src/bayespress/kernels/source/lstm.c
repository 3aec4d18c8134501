/* All time steps of an LSTM, forward and backward, for some sequences of a mini-batch.

   The maths is in nn/recurrence.py. Sequences are independent of each other: threads share nothing
   but what they read, and every sum over sequences is added up by the caller. */

#include <stdlib.h>

#include "recurrent.h"

/* Arrays of floats unless said otherwise; T steps, B sequences, H neurons, R rows of projections. */
struct lstm {
    long steps, batch, hidden;
    long hard;              /* whether gates use the hard sigmoid */
    long z_gates_stride;    /* 4 H, or 0 where all sequences share the variables */
    long z_hidden_stride;   /* H, or 0 */
    const float *projection; /* (R, 4 H): input products */
    const int32_t *row;     /* (T, B): which row of the projections a token reads */
    const uint8_t *real;    /* (T, B): 0 where the state is carried over; NULL if nowhere */
    const float *weight;    /* (4 H, H) */
    const float *bias;      /* (4 H) */
    const float *z_gates, *z_hidden;
    const float *h0, *c0;   /* (B, H) */
    float *raw;             /* (T, B, 4 H): preactivations before the group variables */
    float *outputs, *cells; /* (T, B, H) */
};

/* Gradients, for the sequences of one call; those with a worker's name are sums over them. */
struct lstm_gradients {
    const float *d_outputs;  /* (T, B, H) or NULL */
    float *dh, *dc;          /* (B, H): in: of the last state; out: of the first */
    float *d_z_gates;        /* (B, 4 H), or NULL where not asked for */
    float *d_z_hidden;       /* (B, H), or NULL */
    float *worker_projection; /* (R, 4 H) */
    float *worker_weight;    /* (4 H, H) */
    float *worker_bias;      /* (4 H) */
};

struct gates {
    vf i, f, g, o;
};

INLINE struct gates activate(const struct lstm *s, const float *raw, const float *z, long j, long n) {
    long h = s->hidden;
    const float *b = s->bias + j;
    vf a[4];
    for (int k = 0; k < 4; k++)
        a[k] = load_n(raw + k * h + j, n) * load_n(z + k * h + j, n) + load_n(b + k * h, n);
    vf g = tangens_hyperbolicus(a[2]);
    if (s->hard) return (struct gates){hard_sigmoid(a[0]), hard_sigmoid(a[1]), g, hard_sigmoid(a[3])};
    return (struct gates){sigmoid(a[0]), sigmoid(a[1]), g, sigmoid(a[3])};
}

static void cell_forward(const struct lstm *s, long t, long b) {
    long h = s->hidden, at = (t * s->batch + b) * h;
    const float *old_h = t ? s->outputs + at - s->batch * h : s->h0 + b * h;
    const float *old_c = t ? s->cells + at - s->batch * h : s->c0 + b * h;
    const float *zg = s->z_gates + b * s->z_gates_stride, *zh = s->z_hidden + b * s->z_hidden_stride;
    if (!is_real(s->real, s->batch, t, b)) {
        memcpy(s->outputs + at, old_h, (size_t)h * sizeof(float));
        memcpy(s->cells + at, old_c, (size_t)h * sizeof(float));
        return;
    }
    for (long j = 0; j < h; j += LANES) {
        long n = h - j;
        struct gates k = activate(s, s->raw + 4 * at, zg, j, n);
        vf c = k.f * load_n(old_c + j, n) + k.i * k.g;
        store_n(s->cells + at + j, c, n);
        store_n(s->outputs + at + j, k.o * tangens_hyperbolicus(c) * load_n(zh + j, n), n);
    }
}

/* Returns 0, or 1 if there is no memory. */
int bayespress_lstm_forward(const struct lstm *s, long first, long last) {
    long h = s->hidden, count = last - first;
    float *packed = malloc((size_t)packed_size(h, 4 * h) * sizeof(float));
    const float **start = malloc((size_t)count * sizeof(float *));
    uint64_t mode = flush_denormals();
    if (packed && start) {
        pack(h, 4 * h, s->weight, 1, h, packed);
        for (long t = 0; t < s->steps; t++) {
            long at = t * s->batch + first;
            if (any_real(s->real, s->batch, t, first, last)) {
                for (long b = 0; b < count; b++)
                    start[b] = s->projection + (long)s->row[at + b] * 4 * h;
                const float *old_h = t ? s->outputs + (at - s->batch) * h : s->h0 + first * h;
                gemm(count, h, 4 * h, old_h, h, packed, start, s->raw + at * 4 * h, 4 * h);
            }
            for (long b = first; b < last; b++) cell_forward(s, t, b);
        }
    }
    int failed = !packed || !start;
    restore_denormals(mode);
    free(packed);
    free((void *)start);
    return failed;
}

/* One sequence's step backward; writes the gradient before the group variables to d_raw. */
static void cell_backward(const struct lstm *s, const struct lstm_gradients *d, long t, long b,
                          float *d_raw) {
    long h = s->hidden, at = (t * s->batch + b) * h;
    const float *old_c = t ? s->cells + at - s->batch * h : s->c0 + b * h;
    const float *zg = s->z_gates + b * s->z_gates_stride, *zh = s->z_hidden + b * s->z_hidden_stride;
    const float *raw = s->raw + 4 * at;
    float *dp = d->worker_projection + (long)s->row[t * s->batch + b] * 4 * h;
    for (long j = 0; j < h; j += LANES) {
        long n = h - j;
        struct gates k = activate(s, raw, zg, j, n);
        vf squashed = tangens_hyperbolicus(load_n(s->cells + at + j, n));
        vf dh = load_n(d->dh + b * h + j, n);
        if (d->d_z_hidden) {
            float *dz = d->d_z_hidden + b * h + j;
            store_n(dz, load_n(dz, n) + dh * k.o * squashed, n);
        }
        dh *= load_n(zh + j, n);
        vf dc = load_n(d->dc + b * h + j, n) + dh * k.o * (1.0f - squashed * squashed);
        vf da[4] = {
            dc * k.g * slope(s->hard, k.i),
            dc * load_n(old_c + j, n) * slope(s->hard, k.f),
            dc * k.i * (1.0f - k.g * k.g),
            dh * squashed * slope(s->hard, k.o),
        };
        store_n(d->dc + b * h + j, dc * k.f, n);
        for (long q = 0; q < 4; q++) {
            long place = q * h + j;
            vf dr = da[q] * load_n(zg + place, n);
            store_n(d_raw + place, dr, n);
            store_n(dp + place, load_n(dp + place, n) + dr, n);
            float *db = d->worker_bias + place;
            store_n(db, load_n(db, n) + da[q], n);
            if (d->d_z_gates) {
                float *dz = d->d_z_gates + b * 4 * h + place;
                store_n(dz, load_n(dz, n) + da[q] * load_n(raw + place, n), n);
            }
        }
    }
}

static void step_backward(const struct lstm *s, const struct lstm_gradients *d, long t, long first,
                          long last, const float *packed, float *d_raw, float *d_old,
                          float *scratch) {
    long h = s->hidden, count = last - first, at = t * s->batch + first;
    if (d->d_outputs)
        for (long k = 0; k < count * h; k++) d->dh[first * h + k] += d->d_outputs[at * h + k];
    if (!any_real(s->real, s->batch, t, first, last)) return;
    for (long b = first; b < last; b++) {
        float *one = d_raw + (b - first) * 4 * h;
        if (is_real(s->real, s->batch, t, b)) cell_backward(s, d, t, b, one);
        else memset(one, 0, (size_t)(4 * h) * sizeof(float));
    }
    gemm(count, 4 * h, h, d_raw, 4 * h, packed, 0, d_old, h);
    for (long b = first; b < last; b++)
        if (is_real(s->real, s->batch, t, b))
            memcpy(d->dh + b * h, d_old + (b - first) * h, (size_t)h * sizeof(float));
    const float *old_h = t ? s->outputs + (at - s->batch) * h : s->h0 + first * h;
    gemm_outer(count, 4 * h, h, d_raw, 4 * h, old_h, h, d->worker_weight, h, scratch);
}

/* Returns 0, or 1 if there is no memory. */
int bayespress_lstm_backward(const struct lstm *s, const struct lstm_gradients *d, long first,
                             long last) {
    long h = s->hidden, count = last - first;
    float *packed = malloc((size_t)packed_size(4 * h, h) * sizeof(float));
    float *scratch = malloc((size_t)outer_scratch(4 * h) * sizeof(float));
    float *d_raw = malloc((size_t)(count * 5 * h) * sizeof(float));
    int failed = !packed || !scratch || !d_raw;
    uint64_t mode = flush_denormals();
    if (!failed) {
        pack(4 * h, h, s->weight, h, 1, packed);
        for (long t = s->steps - 1; t >= 0; t--)
            step_backward(s, d, t, first, last, packed, d_raw, d_raw + count * 4 * h, scratch);
    }
    restore_denormals(mode);
    free(packed);
    free(scratch);
    free(d_raw);
    return failed;
}
