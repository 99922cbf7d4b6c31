#include "tools/sim/sim_noise.h"

#include "core/geom.h"

static double knot(uint64_t seed, int64_t x, int64_t y)
{
    return 2 * sim_unit(sim_hash3(seed, x, y)) - 1;
}

static double smooth(double f)
{
    return f * f * (3 - 2 * f);
}

double intra_sim_noise1(uint64_t seed, double x)
{
    double i = floor(x), f = smooth(x - i), a = knot(seed, (int64_t)i, 0);
    return a + f * (knot(seed, (int64_t)i + 1, 0) - a);
}

double intra_sim_noise2(uint64_t seed, double x, double y, int period)
{
    double i = floor(x), j = floor(y), f = smooth(x - i), g = smooth(y - j), a, b;
    int64_t xi = (int64_t)i, yi = (int64_t)j, y0 = (yi % period + period) % period, y1 = (y0 + 1) % period;
    a = knot(seed, xi, y0) + f * (knot(seed, xi + 1, y0) - knot(seed, xi, y0));
    b = knot(seed, xi, y1) + f * (knot(seed, xi + 1, y1) - knot(seed, xi, y1));
    return a + g * (b - a);
}

double intra_sim_wander(uint64_t seed, double x, double shortest)
{
    enum { WAVES = 7 };
    double sum = 0;
    for (int i = 0; i < WAVES; i++) {
        uint64_t h = sim_hash3(seed, i, 77);
        double wave = shortest * pow(6, (i + sim_unit(h)) / WAVES);
        sum += sin(2 * M_PI * (x / wave + sim_unit(sim_mix(h))));
    }
    return sum * sqrt(2.0 / WAVES);
}
