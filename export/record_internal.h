/* What readers and writers of records share. For export/record_*.c and their tests. */
#ifndef INTRA_EXPORT_RECORD_INTERNAL_H
#define INTRA_EXPORT_RECORD_INTERNAL_H

#include "export/record.h"

enum { INTRA_RECORD_MAX_BYTES = 256 << 20 };

/* A reader fills an initialised record; on failure the caller finishes it. Each row goes in verbatim (`source`) and
 * parsed; rows of continuous defects carry their raw mark ("S01", "A1") in continuous_id until
 * intra_record_join_continuous makes one observation of two. format and path are set by the caller. */
typedef enum intra_status intra_record_reader(const char *path, struct intra_record *out, struct intra_error *err);
typedef enum intra_status intra_record_writer(const struct intra_record *record, const char *path,
                                              struct intra_error *err);

intra_record_reader intra_record_read_own_csv, intra_record_read_own_json, intra_record_read_pacp_mdb,
    intra_record_read_pacp_csv, intra_record_read_pacp_sqlite, intra_record_read_wincan_db3, intra_record_read_en_text,
    intra_record_read_isybau, intra_record_read_dwa_m150, intra_record_read_ribx, intra_record_read_wsaa,
    intra_record_read_mscc, intra_record_read_coco, intra_record_read_yolo, intra_record_read_cvat,
    intra_record_read_sewerai;
intra_record_writer intra_record_write_own_csv, intra_record_write_own_json, intra_record_write_pacp_csv,
    intra_record_write_pacp_sqlite, intra_record_write_en_text, intra_record_write_isybau, intra_record_write_dwa_m150,
    intra_record_write_ribx, intra_record_write_wsaa, intra_record_write_mscc, intra_record_write_coco;

/* A whole text file as UTF-8 with a NUL after it (intra_free), without byte order mark: UTF-8, UTF-16 by its mark or
 * its zero bytes, else `encoding` (NULL: Windows-1252). Bytes that fit nowhere become U+FFFD; a NUL inside becomes a
 * blank. */
enum intra_status intra_record_text(const char *path, const char *encoding, char **out, size_t *out_size,
                                    struct intra_error *err);
enum intra_status intra_record_to_utf8(const char *bytes, size_t size, const char *encoding, char **out,
                                       size_t *out_size, struct intra_error *err);

/* The whole text is one number, decimal comma or point, blanks around it; else NaN. */
double intra_record_number(const char *text);
/* intra_record_number; where text stands that is no number, counts it as kept as text only. */
double intra_record_number_or_keep(struct intra_record *record, const char *field, const char *text);
/* true/yes/y/j/1/-1/x, whatever the case */
bool intra_record_bool(const char *text);
double intra_record_metres(double value, bool is_imperial); /* feet or metres */
/* Clock hours 0 to 12 as text to radians; NaN where there is none. */
double intra_record_clock(const char *text);
/* A clock span by the conventions of the model: both positions equal is the whole ring (0, 2 pi); no second position: a
 * single one. */
void intra_record_clock_span(double from_rad, double to_rad, double *out_from_rad, double *out_to_rad);
/* "2024-05-17", "17.05.2024", "17/5/2024", "5/17/2024" (only where the first cannot be a day's month), "20240517", a
 * time behind it left out -> "2024-05-17". */
bool intra_record_date(const char *text, char out[11]);
/* "9:30", "09:30:00", a date before it left out -> "09:30:00" */
bool intra_record_day_time(const char *text, char out[9]);
/* "hh:mm:ss(.f)", "mm:ss", "hh:mm:ss:ff" (frames left out), digits only "hhmmss" -> seconds; NaN. */
double intra_record_video_time(const char *text);
void intra_record_time_text(double time_s, char out[16]); /* "hh:mm:ss", decimals where there are some; "" for NaN */

/* Up to 17 digits, as few as bring the number back; "" for NaN. The decimal sign is a point. */
void intra_record_number_text(double value, char out[32]);

/* Say what became of a value or a row; the first of each kind is kept as text. */
void intra_record_kept(struct intra_record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));
void intra_record_refused(struct intra_record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Make one observation of the start and the finish row of each continuous defect: S01..F01, A1..B1 (C1 in between ends
 * one piece and begins the next). Start and finish have the same number and the same code. continuous_id becomes the
 * number without zeros in front; rows without a partner stay as they are, with their mark, and are counted as kept.
 * n log n. */
enum intra_status intra_record_join_continuous(struct intra_record *record, struct intra_inspection *inspection,
                                               struct intra_error *err);
/* Whether a mark is of a row that has no partner ("S01"); joined ones are plain numbers. */
bool intra_record_is_mark(const char *continuous_id);

/* The rows of an inspection in the order of their places, joined defects taken apart: role 'A' begins one, 'B' is its
 * finish row (o->distance_to_m, o->finish_source), 'C' begins the piece of one whose values change there; 0: any other
 * row, a mark without a partner among them. */
typedef enum intra_status intra_record_row_fn(void *user, const struct intra_observation *o, char role);
enum intra_status intra_record_each_row(const struct intra_inspection *in, intra_record_row_fn *put, void *user,
                                        struct intra_error *err);

/* What a writer had to leave out, counted by kind; said as one warning of the log when the file stands. */
struct intra_record_lost {
    struct {
        const char *what; /* a text that lives */
        int64_t n;
    } kinds[24];
    int n;
};
void intra_record_lose(struct intra_record_lost *lost, const char *what, int64_t n);
void intra_record_say_lost(const struct intra_record_lost *lost, const char *path, enum intra_record_format format);

/* How much of `text` starts the same as the name, case left out of account: for recognising. */
bool intra_record_has_word(const char *text, const char *word);

#endif
