/* Vectors of floats by the compiler's own extension: one source for every processor. */
#ifndef BAYESPRESS_VECTOR_H
#define BAYESPRESS_VECTOR_H

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define ROWS 8 /* rows of a register tile: 8 x 2 accumulators of 32 registers */
#elif defined(__AVX__)
#define LANES 8
#define ROWS 4 /* 4 x 2 accumulators of 16 registers */
#elif defined(__aarch64__)
#define LANES 4
#define ROWS 8
#else
#define LANES 4
#define ROWS 4
#endif
#define COLUMNS (2 * LANES) /* of a register tile */

#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vf splat(float x) { return x - (vf){0}; }
INLINE vf load(const float *p) { return *(const vf *)p; }
INLINE void store(float *p, vf x) { *(vf *)p = x; }

/* The first n numbers; the others are zero. Small networks work with parts of a register all the
   time: processors that can mask a load do it in one instruction. */
#if defined(__AVX512F__)
INLINE __mmask16 first_lanes(long n) { return (__mmask16)((1u << n) - 1u); }
INLINE vf load_part(const float *p, long n) {
    return (vf)_mm512_maskz_loadu_ps(first_lanes(n), p);
}
INLINE void store_part(float *p, vf x, long n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)x);
}
#elif defined(__AVX__)
INLINE __m256i first_lanes(long n) {
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (__m256i)(lane < (int32_t)n);
}
INLINE vf load_part(const float *p, long n) { return (vf)_mm256_maskload_ps(p, first_lanes(n)); }
INLINE void store_part(float *p, vf x, long n) {
    _mm256_maskstore_ps(p, first_lanes(n), (__m256)x);
}
#else
INLINE vf load_part(const float *p, long n) {
    vf x = {0};
    memcpy(&x, p, (size_t)n * sizeof(float));
    return x;
}
INLINE void store_part(float *p, vf x, long n) { memcpy(p, &x, (size_t)n * sizeof(float)); }
#endif

INLINE vf load_n(const float *p, long n) { return n >= LANES ? load(p) : load_part(p, n); }
INLINE void store_n(float *p, vf x, long n) {
    if (n >= LANES) store(p, x);
    else store_part(p, x, n);
}

INLINE vf choose(vi where, vf yes, vf no) {
    return (vf)((where & (vi)yes) | (~where & (vi)no));
}
/* Comparisons are false for a NaN, so these give the second operand: NaN comes through. */
INLINE vf at_most(vf limit, vf x) { return choose(limit < x, limit, x); }
INLINE vf at_least(vf limit, vf x) { return choose(limit > x, limit, x); }
INLINE vf absolute(vf x) { return (vf)((vi)x & 0x7fffffff); }

INLINE float sum(vf x) {
    float total = 0;
    for (int k = 0; k < LANES; k++) total += x[k];
    return total;
}

/* exp(x) = 2^n exp(r), |r| <= log(2) / 2, by Taylor's polynomial; relative error below 2e-7. */
INLINE vf exponential(vf x) {
    x = at_least(splat(-87.3f), at_most(splat(88.0f), x));
    const vf magic = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    vf shifted = x * 1.44269504f + magic;
    vf n = shifted - magic;
    vf r = x - n * 0.693145752f - n * 1.42860677e-6f; /* log(2) in two parts */
    vf p = splat(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    vi exponent = ((vi)shifted - (vi)magic) << 23;
    return (vf)((vi)p + exponent);
}

/* log(x) for x > 0: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and log(m) = 2 artanh(s) with
   s = (m - 1) / (m + 1). For x = 0 it gives a large negative number instead of minus infinity. */
INLINE vf logarithm(vf x) {
    vi bits = (vi)x;
    vi e = (bits - 0x3f3504f3) >> 23;
    vf m = (vf)(bits - (e << 23));
    vf s = (m - 1.0f) / (m + 1.0f), q = s * s;
    vf p = splat(2.0f / 9);
    p = p * q + 2.0f / 7;
    p = p * q + 2.0f / 5;
    p = p * q + 2.0f / 3;
    p = p * q + 2.0f;
    return __builtin_convertvector(e, vf) * 0.693147181f + p * s;
}

INLINE vf sigmoid(vf x) { return 1.0f / (1.0f + exponential(-x)); }

/* tanh(x) = 1 - 2 / (exp(2 x) + 1); near zero, where that would cancel, by its continued fraction. */
INLINE vf tangens_hyperbolicus(vf x) {
    vf size = absolute(x), q = x * x;
    vf large = 1.0f - 2.0f / (exponential(2.0f * size) + 1.0f);
    large = (vf)((vi)large | ((vi)x & (vi)splat(-0.0f)));
    vf small = x * (945.0f + q * (105.0f + q)) / (945.0f + q * (420.0f + 15.0f * q));
    return choose(size < 0.5f, small, large);
}

INLINE vf hard_sigmoid(vf x) {
    return at_least(splat(0.0f), at_most(splat(1.0f), 0.2f * x + 0.5f));
}

/* Gradients that fade over many steps become denormal numbers, with which processors are a hundred
   times slower. Each thread takes them as zero while it is here, and then as before. */
static inline uint64_t flush_denormals(void) {
#if defined(__x86_64__) || defined(__i386__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1UL << 24)));
#else
    unsigned before = 0;
#endif
    return before;
}

static inline void restore_denormals(uint64_t before) {
#if defined(__x86_64__) || defined(__i386__)
    _mm_setcsr((unsigned)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

#endif
