/* What the recurrences of lstm.c and gru.c have in common. */

#include "gemm.h"

/* `real` is (T, B): 0 where a sequence's state is carried over; NULL if nowhere. */
static int is_real(const uint8_t *real, long batch, long t, long b) {
    return !real || real[t * batch + b];
}

static int any_real(const uint8_t *real, long batch, long t, long first, long last) {
    for (long b = first; b < last; b++)
        if (is_real(real, batch, t, b)) return 1;
    return 0;
}

/* The slope of a gate's activation, given its result. */
INLINE vf slope(long hard, vf gate) {
    if (!hard) return gate * (1.0f - gate);
    return choose((gate > 0.0f) & (gate < 1.0f), splat(0.2f), splat(0.0f));
}
