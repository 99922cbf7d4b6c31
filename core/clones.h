/* Functions whose loops run wider on processors that can: compiled twice, the right one chosen when the program starts.
 * The same bytes come out of both, since sums keep their order and nothing is fused (-ffp-contract=off). Of use on a
 * function that is not inlined and whose hot loop stands in it, not in an OpenMP region of it. */
#ifndef INTRA_CORE_CLONES_H
#define INTRA_CORE_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define INTRA_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define INTRA_CLONES
#endif

#endif
