/* Random numbers without state: each one is a hash of its key, so nothing depends on order or thread. */
#ifndef INTRA_SIM_NOISE_H
#define INTRA_SIM_NOISE_H

#include <stdint.h>

/* A well-mixed 64-bit value (the finaliser of SplitMix64: Steele, Lea and Flood 2014). */
static inline uint64_t sim_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}
static inline uint64_t sim_hash3(uint64_t seed, int64_t a, int64_t b)
{
    return sim_mix(seed ^ sim_mix((uint64_t)a * 0x100000001b3u ^ sim_mix((uint64_t)b)));
}
/* [0, 1) */
static inline double sim_unit(uint64_t h)
{
    return (double)(h >> 11) * 0x1p-53;
}
/* Near enough to normal, standard deviation 1: the sum of eight bytes. */
static inline float sim_gauss8(uint64_t h)
{
    uint64_t pairs = (h & 0x00ff00ff00ff00ffu) + ((h >> 8) & 0x00ff00ff00ff00ffu);
    pairs += pairs >> 32;
    pairs += pairs >> 16;
    return ((float)(pairs & 0x0fff) - 1020.0f) * (1.0f / 209.0f);
}

/* Smooth noise in [-1, 1] along a line, one knot at each whole x. */
double intra_sim_noise1(uint64_t seed, double x);
/* The same in a plane, y periodic with `period` knots. */
double intra_sim_noise2(uint64_t seed, double x, double y, int period);
/* Band-limited, zero-mean curve with unit standard deviation over long stretches: a sum of sines with wavelengths from
 * `shortest` to 6 x shortest. */
double intra_sim_wander(uint64_t seed, double x, double shortest);

#endif
