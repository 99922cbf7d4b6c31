/* The tables and the JSON that evaluate reads. The first byte says which file the others are; its neighbours are those
 * of a good pair. */
#include "fuzz.h"

#include "made_pair.h"
#include "tools/evaluate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"truth/truth.json",     "truth/frames.csv", "truth/centreline.csv",
                                    "truth/trajectory.tum", "out/frames.csv",   "out/trajectory.tum",
                                    "out/profile.csv"};
enum { N_NAMES = sizeof names / sizeof names[0] };

static char *good[N_NAMES];
static size_t good_size[N_NAMES];

static void make_pair(void)
{
    struct made_pair pair = made_pair_defaults();
    char path[512];
    if (good[0]) return;
    pair.length_m = 1;
    made_pair_write(&pair, fuzz_dir());
    for (int i = 0; i < N_NAMES; i++) {
        snprintf(path, sizeof path, "%s/%s", fuzz_dir(), names[i]);
        good[i] = fuzz_get(path, &good_size[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_evaluation e = {0};
    struct intra_error err = {0};
    enum intra_status status = INTRA_OK;
    char out[512];
    int which;
    if (!size) return 0;
    which = data[0] % N_NAMES;
    make_pair();
    fuzz_put(names[which], data + 1, size - 1);
    snprintf(out, sizeof out, "%s/out", fuzz_dir());
    INTRA_TRY(intra_evaluation_read(&e, out, fuzz_dir(), &err));
    INTRA_TRY(intra_evaluate_frames(&e, &err));
    INTRA_TRY(intra_evaluate_motion(&e, &err));
    INTRA_TRY(intra_evaluate_profile(&e, &err));
done:
    fuzz_must(status == INTRA_OK || err.text[0], "a message");
    intra_evaluation_fini(&e);
    fuzz_put(names[which], good[which], good_size[which]);
    return 0;
}
