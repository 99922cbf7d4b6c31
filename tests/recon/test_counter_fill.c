/* Proves: frames between two readings take their value where these are equal and near each other, but not where the
 * camera went on and came back between them; where it stands, is not posed, or comes to another stretch, they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* The struct of the file under test is what is filled. */
#include "recon/counter.c"

#include <cmocka.h>

enum { FRAMES = 31 };

static struct intra_frame_record frames[FRAMES];
static struct intra_counter_reading readings[4];
static struct intra_counter counter;

/* Readings of 1.20, 1.20, 1.21 and 1.21 m each ten frames, the last two 1.2 s apart; stations as given at each ten. */
static void fill(const double stations_m[4])
{
    static const double values[] = {1.20, 1.20, 1.21, 1.21};
    for (int i = 0; i < 4; i++)
        readings[i] =
            (struct intra_counter_reading){.index = 100 + 10 * i, .time_s = i < 3 ? 0.4 * i : 2, .value_m = values[i]};
    counter = (struct intra_counter){.readings = readings, .n = 4};
    for (int i = 0; i < FRAMES; i++) {
        int k = i / 10 < 2 ? i / 10 : 2;
        double t = (i - 10 * k) / 10.0;
        frames[i] = (struct intra_frame_record){.index = 100 + i,
                                                .is_posed = true,
                                                .station_m = (1 - t) * stations_m[k] + t * stations_m[k + 1],
                                                .counter_m = NAN};
    }
}

static int count_filled(int from, int to)
{
    int n = 0;
    for (int i = from; i < to; i++)
        n += isfinite(frames[i].counter_m);
    return n;
}

static void on_the_way(void **state)
{
    (void)state;
    fill((double[]){1.201, 1.205, 1.212, 1.216});
    intra_counter_fill(&counter, frames, FRAMES);
    assert_int_equal(count_filled(0, 11), 11);
    assert_int_equal(count_filled(11, 20), 0); /* the digit changed somewhere there, */
    assert_int_equal(count_filled(21, 30), 0); /* and these are too far apart */
    assert_true(frames[5].counter_m == 1.20 && frames[20].counter_m == 1.21 && frames[30].counter_m == 1.21);
}

static void there_and_back(void **state)
{
    (void)state;
    fill((double[]){1.205, 1.207, 1.212, 1.216});
    for (int i = 1; i < 10; i++)
        frames[i].station_m = 1.205 + 0.0011 * (i < 6 ? i : 10 - i);
    intra_counter_fill(&counter, frames, FRAMES);
    assert_int_equal(count_filled(0, 11), 8); /* all but the three beyond 1.209 m */
    fill((double[]){1.205, 1.207, 1.212, 1.216});
    for (int i = 1; i < 10; i++)
        frames[i].is_posed = false;
    intra_counter_fill(&counter, frames, FRAMES);
    assert_int_equal(count_filled(0, 11), 11);
}

static void standing(void **state)
{
    (void)state;
    fill((double[]){1.205, 1.205, 1.212, 1.216});
    for (int i = 1; i < 10; i++)
        frames[i].station_m += i % 2 ? 0.0015 : -0.0015;
    intra_counter_fill(&counter, frames, FRAMES);
    assert_int_equal(count_filled(0, 11), 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_the_way), cmocka_unit_test(there_and_back),
                                       cmocka_unit_test(standing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
