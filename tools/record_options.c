#include "tools/record_options.h"

#include "core/units.h"

#include <string.h>

enum { INSPECTION, STATION_OFFSET, OPPOSITE, OF_CAMERA };

struct intra_record_request intra_record_request_defaults(void)
{
    return (struct intra_record_request){.locate = intra_locate_defaults()};
}

enum intra_status intra_record_option_set(struct intra_record_request *r, int index, const char *value,
                                          struct intra_error *err)
{
    if (index != INSPECTION) r->has_locate = true;
    switch (index) {
    case INSPECTION:
        r->inspection = value;
        return INTRA_OK;
    case STATION_OFFSET:
        return intra_parse_length("--station-offset", value, &r->locate.station_offset_m, err);
    case OPPOSITE:
        r->locate.is_opposite = true;
        return INTRA_OK;
    case OF_CAMERA:
        r->locate.station_of = INTRA_STATION_OF_CAMERA;
        return INTRA_OK;
    default:
        return INTRA_FAIL(err, INTRA_E_ARG, "option %d is not known", index);
    }
}

enum intra_status intra_record_request_check(const struct intra_record_request *r, struct intra_error *err)
{
    if (r->path || !r->has_locate) return INTRA_OK;
    return INTRA_FAIL(err, INTRA_E_ARG,
                      "--station-offset, --opposite and --distance-of-camera say where a record goes: give --record "
                      "FILE too; what was imported is placed already");
}

bool intra_record_is_list(const struct intra_record_request *r)
{
    return r->inspection && strcmp(r->inspection, "list") == 0;
}
