/* The options about inspection records that several commands take, said and parsed in one place. */
#ifndef INTRA_TOOLS_RECORD_OPTIONS_H
#define INTRA_TOOLS_RECORD_OPTIONS_H

#include "recon/locate.h"
#include "tools/options.h"

/* In the enum of a command: OPT_RECORD_FIRST, OPT_RECORD_LAST = OPT_RECORD_FIRST + INTRA_N_RECORD_OPTIONS - 1, */
enum { INTRA_N_RECORD_OPTIONS = 4 };

/* In its table of options. */
#define INTRA_RECORD_OPTIONS(first)                                                                                    \
    [(first)] = {"inspection", 0, "ID",                                                                                \
                 "which inspection, where there are several: its id, the name of its pipe, or @1, @2 ... in\n"         \
                 "the order of the file, or as imported into the project; 'list' shows them. Without it the\n"         \
                 "one that the text in the video names, where that is sure"},                                          \
    [(first) + 1] = {"station-offset", 0, "LENGTH",                                                                    \
                     "of a record: station of the model where its distance is 0, e.g. 0.4m; default 0m"},              \
    [(first) + 2] = {"opposite", 0, NULL, "of a record: its survey ran against the model"},                            \
    [(first) + 3] = {"distance-of-camera", 0, NULL,                                                                    \
                     "of a record: its distances are those of the camera, one diameter before what it shows"}

/* Their names, for the help; tests hold them against export/record.h. */
#define INTRA_RECORD_NAMES_WRITTEN "json, pacp-csv (a folder), pacp-sqlite, en-text, isybau, dwa-m150"
#define INTRA_RECORD_NAMES_READ                                                                                        \
    "pacp-mdb, pacp-csv, pacp-sqlite, wincan-db3, en-text, isybau, dwa-m150, ribx, wsaa, mscc; csv and json (own);\n"  \
    "coco, yolo, cvat, sewerai (machine detections)"

struct intra_record_request {
    const char *path;       /* the record; NULL: what was imported into the project */
    const char *inspection; /* NULL: the only one of a record; all of a project */
    struct intra_locate_options locate;
    bool has_locate; /* one of its options was given */
};
struct intra_record_request intra_record_request_defaults(void);

/* `index` counts from the first of the four. */
enum intra_status intra_record_option_set(struct intra_record_request *request, int index, const char *value,
                                          struct intra_error *err);
/* Where to put a record is no question without one. INTRA_E_ARG. */
enum intra_status intra_record_request_check(const struct intra_record_request *request, struct intra_error *err);
/* --inspection list */
bool intra_record_is_list(const struct intra_record_request *request);

#endif
