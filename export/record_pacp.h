/* PACP tables, from whatever holds them, into the model and back. For export/record_pacp*.c. */
#ifndef INTRA_EXPORT_RECORD_PACP_H
#define INTRA_EXPORT_RECORD_PACP_H

#include "core/sheet.h"
#include "export/record_internal.h"

enum intra_pacp_table {
    INTRA_PACP_INSPECTIONS,
    INTRA_PACP_CONDITIONS,
    INTRA_PACP_MEDIA_INSPECTIONS,
    INTRA_PACP_MEDIA_CONDITIONS,
    INTRA_PACP_N_TABLES
};
extern const char *const intra_pacp_table_names[INTRA_PACP_N_TABLES]; /* of version 7; 6 has them without "PACP_" */

struct intra_pacp {
    struct intra_sheet tables[INTRA_PACP_N_TABLES];
};
void intra_pacp_fini(struct intra_pacp *pacp);
/* Rows whose inspection is not there are refused. */
enum intra_status intra_pacp_to_record(const struct intra_pacp *pacp, struct intra_record *out,
                                       struct intra_error *err);
/* Version 7 columns, and behind them those of the source that the version does not have. */
enum intra_status intra_pacp_from_record(const struct intra_record *record, struct intra_pacp *out,
                                         struct intra_error *err);

#endif
