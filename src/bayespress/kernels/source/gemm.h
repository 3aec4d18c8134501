/* Matrix products on register tiles, for matrices with rows one after another. */
#ifndef BAYESPRESS_GEMM_H
#define BAYESPRESS_GEMM_H

#include "vector.h"

/* Numbers that a packed matrix of `inner` rows and `columns` columns takes. */
static long packed_size(long inner, long columns) {
    return (columns + COLUMNS - 1) / COLUMNS * COLUMNS * inner;
}

/* Pack b, with b(k, n) at b[k * row + n * column], into panels of COLUMNS columns. */
static void pack(long inner, long columns, const float *b, long row, long column, float *out) {
    for (long n0 = 0; n0 < columns; n0 += COLUMNS)
        for (long k = 0; k < inner; k++, out += COLUMNS)
            for (long n = 0; n < COLUMNS; n++)
                out[n] = n0 + n < columns ? b[k * row + (n0 + n) * column] : 0.0f;
}

/* out[m][:] = start[m][:] + a[m][:] . panel; `start` holds a pointer for every row, or is NULL. */
INLINE void tile(const int rows, long inner, const float *a, long lda, const float *panel,
                 const float *const *start, long offset, float *out, long ldo, long width) {
    vf acc[ROWS][2];
    for (int m = 0; m < rows; m++) {
        acc[m][0] = start ? load_n(start[m] + offset, width) : (vf){0};
        acc[m][1] = start && width > LANES ? load_n(start[m] + offset + LANES, width - LANES)
                                           : (vf){0};
    }
    for (long k = 0; k < inner; k++, panel += COLUMNS) {
        vf b0 = load(panel), b1 = load(panel + LANES);
        for (int m = 0; m < rows; m++) {
            vf x = splat(a[m * lda + k]);
            acc[m][0] += x * b0;
            acc[m][1] += x * b1;
        }
    }
    for (int m = 0; m < rows; m++) {
        store_n(out + m * ldo, acc[m][0], width);
        if (width > LANES) store_n(out + m * ldo + LANES, acc[m][1], width - LANES);
    }
}

/* out (rows x columns) = start + a (rows x inner) . b, with b packed. */
static void gemm(long rows, long inner, long columns, const float *a, long lda, const float *packed,
                 const float *const *start, float *out, long ldo) {
    for (long n = 0; n < columns; n += COLUMNS, packed += COLUMNS * inner) {
        long width = columns - n < COLUMNS ? columns - n : COLUMNS;
        for (long m = 0; m < rows; m += ROWS) {
            const float *const *first = start ? start + m : 0;
            const float *x = a + m * lda;
            float *y = out + m * ldo + n;
            long left = rows - m;
            if (left >= ROWS && width == COLUMNS)
                tile(ROWS, inner, x, lda, packed, first, n, y, ldo, COLUMNS);
            else if (left >= ROWS) tile(ROWS, inner, x, lda, packed, first, n, y, ldo, width);
            else for (long r = 0; r < left; r++)
                tile(1, inner, x + r * lda, lda, packed, first ? first + r : 0, n, y + r * ldo, ldo,
                     width);
        }
    }
}

enum { DEPTH = 64 }; /* inner steps that gemm_outer takes at a time */

/* Numbers of scratch that gemm_outer needs for a result of that many rows. */
static long outer_scratch(long rows) { return (rows + ROWS) * DEPTH; }

/* out += a' . b, for a packed into rows of ROWS numbers and b into rows of COLUMNS. */
INLINE void outer_tile(const int rows, long inner, const float *a, const float *b, float *out,
                       long ldo, long width) {
    vf acc[ROWS][2];
    for (int m = 0; m < rows; m++) {
        acc[m][0] = load_n(out + m * ldo, width);
        acc[m][1] = width > LANES ? load_n(out + m * ldo + LANES, width - LANES) : (vf){0};
    }
    for (long k = 0; k < inner; k++, a += ROWS, b += COLUMNS) {
        vf b0 = load(b), b1 = load(b + LANES);
        for (int m = 0; m < rows; m++) {
            vf x = splat(a[m]);
            acc[m][0] += x * b0;
            acc[m][1] += x * b1;
        }
    }
    for (int m = 0; m < rows; m++) {
        store_n(out + m * ldo, acc[m][0], width);
        if (width > LANES) store_n(out + m * ldo + LANES, acc[m][1], width - LANES);
    }
}

static void outer_block(long inner, long rows, long columns, const float *a, long lda,
                        const float *b, long ldb, float *out, long ldo, float *scratch) {
    /* Both are gathered first: read with their strides, they would evict each other. */
    float panel[DEPTH * COLUMNS];
    for (long m = 0; m < rows; m += ROWS)
        for (long k = 0; k < inner; k++)
            for (long r = 0; r < ROWS; r++)
                scratch[m * inner + k * ROWS + r] = m + r < rows ? a[k * lda + m + r] : 0.0f;
    for (long n = 0; n < columns; n += COLUMNS) {
        long width = columns - n < COLUMNS ? columns - n : COLUMNS;
        pack(inner, width, b + n, ldb, 1, panel);
        for (long m = 0; m < rows; m += ROWS) {
            const float *x = scratch + m * inner;
            float *y = out + m * ldo + n;
            if (rows - m >= ROWS && width == COLUMNS)
                outer_tile(ROWS, inner, x, panel, y, ldo, COLUMNS);
            else if (rows - m >= ROWS) outer_tile(ROWS, inner, x, panel, y, ldo, width);
            else for (long r = 0; r < rows - m; r++)
                outer_tile(1, inner, x + r, panel, y + r * ldo, ldo, width);
        }
    }
}

/* out (rows x columns) += a' . b for a (inner x rows) and b (inner x columns). */
static void gemm_outer(long inner, long rows, long columns, const float *a, long lda,
                       const float *b, long ldb, float *out, long ldo, float *scratch) {
    for (long k = 0; k < inner; k += DEPTH)
        outer_block(inner - k < DEPTH ? inner - k : DEPTH, rows, columns, a + k * lda, lda,
                    b + k * ldb, ldb, out, ldo, scratch);
}

#endif
