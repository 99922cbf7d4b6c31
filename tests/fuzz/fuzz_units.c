/* What people type as lengths, angles, times, sizes and numbers: a finite number or one message. */
#include "fuzz.h"

#include "core/units.h"
#include "tools/sizes.h"

#include <math.h>
#include <stdlib.h>

static void check(enum intra_status status, const double *value, const struct intra_error *err)
{
    if (status == INTRA_OK)
        fuzz_must(!value || isfinite(*value), "a finite number");
    else
        fuzz_must(status == INTRA_E_ARG && err->text[0], "wrong usage, with a message");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct intra_error err = {0};
    char *text = fuzz_text(data, size);
    const char *end;
    double value = NAN;
    size_t bytes = 0;
    long n = 0;
    check(intra_parse_length("--x", text, &value, &err), &value, &err);
    check(intra_parse_angle("--x", text, &value, &err), &value, &err);
    check(intra_parse_time("--x", text, &value, &err), &value, &err);
    check(intra_parse_size("--x", text, &bytes, &err), NULL, &err);
    check(intra_parse_int("--x", text, -5, 1024, &n, &err), NULL, &err);
    fuzz_must(bytes == 0 || (bytes >= 100000 && bytes <= 100000000000), "a size within its limits");
    fuzz_must(n >= -5 && n <= 1024, "a count within its limits");
    if (intra_scan_number(text, &end, &value)) fuzz_must(end > text, "a number has a length");
    free(text);
    return 0;
}
