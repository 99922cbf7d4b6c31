/* Inspection records in and out: one entry for all exchange formats. The model: core/inspection.h; fields of each
 * format: docs/records.md. One reader and one writer a file, export/record_NAME.c. */
#ifndef INTRA_EXPORT_RECORD_H
#define INTRA_EXPORT_RECORD_H

#include "core/inspection.h"

/* The format of a name as on the command line ("pacp-csv"); NONE where there is no such format. */
enum intra_record_format intra_record_format_from_name(const char *name);

bool intra_record_is_read(enum intra_record_format format);
bool intra_record_is_written(enum intra_record_format format);

/* What a file or folder is, by its content (root element, keys, tables, header names), never by its name alone.
 * INTRA_RECORD_NONE where nothing fits. Errors: INTRA_E_IO, INTRA_E_MEM. */
enum intra_status intra_record_recognise(const char *path, enum intra_record_format *out, struct intra_error *err);

/* Read a record.
 *
 *   path    a file, or a folder where the format is one of several files
 *   format  INTRA_RECORD_NONE: recognised by content
 *   out     initialised here; the caller's to finish on success, already finished on failure; out->format is whose rows
 *           stand in `source`: of own JSON that was written here, the format that it was made from
 *
 * Rows that are no observation are refused and counted, values that are not understood kept as text and counted:
 * out->counts. Errors: INTRA_E_IO, INTRA_E_FORMAT (not recognised, damaged, no inspection in it), INTRA_E_UNSUPPORTED,
 * INTRA_E_MEM. */
enum intra_status intra_record_read(const char *path, enum intra_record_format format, struct intra_record *out,
                                    struct intra_error *err);

/* Write what the format can hold; read back, that is equal. Complete or not at all. Errors: INTRA_E_UNSUPPORTED (a
 * format that is only read), INTRA_E_IO, INTRA_E_MEM. */
enum intra_status intra_record_write(const struct intra_record *record, enum intra_record_format format,
                                     const char *path, struct intra_error *err);

/* Whether the codes of a record are those that a format is for: PACP tables hold PACP codes; EN 13508-2 text, ISYBAU
 * and DWA-M 150 those of EN 13508-2 (and what was read from the same format); the own formats hold all. Codes of no
 * known system are judged by how they are built. INTRA_E_UNSUPPORTED: names the first code that does not fit, how many,
 * and what holds them. intra_record_write itself does not ask. */
enum intra_status intra_record_check_codes(const struct intra_record *record, enum intra_record_format format,
                                           struct intra_error *err);

/* Put what was found on the wall into the record's own fields: distances (back into its own zero and direction) and clock
 * positions of every observation whose place is refined, and of those placed that had no distance (detections). `format`:
 * what it is going to be written as; exchange formats get hundredths of the record's unit and whole hours, two equal hours
 * become one position. A point gets the middle of what was found. Verbatim rows, places and measures stay; pieces of a
 * continuous defect that changes on its way stay where they were recorded. Rows in the order of their distance are so
 * afterwards. *out_n: how many were changed. INTRA_E_MEM. */
enum intra_status intra_record_take_refined(struct intra_record *record, enum intra_record_format format,
                                            int64_t *out_n, struct intra_error *err);

#endif
