/* Matrix products with a share of the rows for each call: threads share nothing that they write. */

#include <stdlib.h>

#include "gemm.h"

enum { BLOCK = 64 }; /* rows that stay in the cache together with a panel */

long bayespress_packed_size(long inner, long columns) { return packed_size(inner, columns); }

/* Pack b, with b(k, n) at b[k * row + n * column]. */
void bayespress_pack(long inner, long columns, const float *b, long row, long column, float *out) {
    pack(inner, columns, b, row, column, out);
}

/* Rows first to last of out (rows x columns) = a (rows x inner) . b, with b packed. */
void bayespress_gemm(long inner, long columns, const float *a, const float *packed, float *out,
                     long first, long last) {
    uint64_t mode = flush_denormals();
    for (long m = first; m < last; m += BLOCK)
        gemm(last - m < BLOCK ? last - m : BLOCK, inner, columns, a + m * inner, inner, packed, 0,
             out + m * columns, columns);
    restore_denormals(mode);
}

/* out (rows x columns) += the part of a' . b that a's and b's rows first to last contribute.
   Returns 0, or 1 if there is no memory. */
int bayespress_gemm_outer(long rows, long columns, const float *a, const float *b, float *out,
                          long first, long last) {
    float *scratch = malloc((size_t)outer_scratch(rows) * sizeof(float));
    if (!scratch) return 1;
    uint64_t mode = flush_denormals();
    gemm_outer(last - first, rows, columns, a + first * rows, rows, b + first * columns, columns,
               out, columns, scratch);
    restore_denormals(mode);
    free(scratch);
    return 0;
}
