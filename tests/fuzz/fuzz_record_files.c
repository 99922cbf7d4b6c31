/* Inspection records in XML and JSON and labels of detectors: the first byte says which reader gets the rest. What is
 * taken has finite outlines, and clock positions within the circle. */
#include "fuzz.h"

#include "core/inspection.h"
#include "export/record.h"

#include <math.h>

static void check_clock(double rad)
{
    fuzz_must(isnan(rad) || (rad >= 0 && rad <= 6.2832), "a clock position within the circle");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum intra_record_format formats[] = {
        INTRA_RECORD_ISYBAU, INTRA_RECORD_DWA_M150, INTRA_RECORD_RIBX, INTRA_RECORD_WSAA,   INTRA_RECORD_MSCC,
        INTRA_RECORD_COCO,   INTRA_RECORD_YOLO,     INTRA_RECORD_CVAT, INTRA_RECORD_SEWERAI};
    struct intra_record record;
    struct intra_error err = {0};
    if (size == 0) return 0;
    enum intra_record_format format = formats[(data[0] + 9 - 'A' % 9) % (sizeof formats / sizeof formats[0])];
    if (intra_record_read(fuzz_put("record_000001.txt", data + 1, size - 1), format, &record, &err) != INTRA_OK) {
        fuzz_must(err.text[0] != 0, "a message");
        return 0;
    }
    for (int64_t i = 0; i < record.n_inspections; i++)
        for (int64_t k = 0; k < record.inspections[i].n_observations; k++) {
            const struct intra_observation *o = &record.inspections[i].observations[k];
            check_clock(o->clock_from_rad);
            check_clock(o->clock_to_rad);
            fuzz_must(!isinf(o->distance_m), "a distance that is a number or unknown");
            for (int r = 0; r < o->n_regions; r++)
                for (int c = 0; c < o->regions[r].n_outline; c++)
                    fuzz_must(isfinite(o->regions[r].outline[c][0] + o->regions[r].outline[c][1]), "finite corners");
        }
    intra_record_fini(&record);
    return 0;
}
